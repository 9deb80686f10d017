-- Admits one call of one circuit, or returns why not and how long to wait. One round trip.
--
-- Order: the pause that the provider asked for (Retry-After), its own usage, then the account's limits, then the circuit breaker.
-- Nothing is consumed before all three have let the call through. A caller refused by a limit gets a reservation.
--
-- Returns {verdict, now, wait, probe}: verdict is "admitted" or the reason of the refusal. probe is 1 when the call is
-- the circuit's probe, and 2 when it also turned the circuit from open to half-open.

local circuit, account, log, slots, leases, share, known = unpack(KEYS)
local now = clock(ARGV[1])
local name, token, holder = ARGV[2], ARGV[3], ARGV[4]
local lease = tonumber(ARGV[5])
local requests, period, spacing = tonumber(ARGV[6]), tonumber(ARGV[7]), tonumber(ARGV[8])
local share_size, concurrency = tonumber(ARGV[9]), tonumber(ARGV[10])
local burst, continuation = tonumber(ARGV[11]), ARGV[12] == '1'
local needed = math.min(tonumber(ARGV[13]), math.max(requests, 1))

-- Counts one outcome of the circuit, and notes that the circuit is in use.
local function count(field)
  if redis.call('HINCRBY', circuit, field, 1) == 1 then
    redis.call('ZREMRANGEBYSCORE', known, '-inf', now - KEEP_MS * 1000)
  end
  redis.call('PEXPIRE', circuit, KEEP_MS)
  redis.call('ZADD', known, now, name)
  redis.call('PEXPIRE', known, KEEP_MS)
end

local function refuse(reason, wait)
  count('deferred:' .. reason)
  return {reason, now, wait, 0}
end

-- tail: the first free time slot. lease_tail: the first end of a concurrent call that no caller waits for.
-- blocked: end of the provider's pause. slow: until then no new work begins. mean: how long recent calls took.
-- void: the tail of an abandoned queue.
local tail, lease_tail, blocked, slow, mean, void =
  numbers(account, 'tail', 'lease_tail', 'blocked', 'slow', 'mean', 'void')

if blocked > now then
  return refuse('provider', blocked - now)
end
-- Much of the provider's own limit is used. What was begun is finished: given up, it would have to begin anew.
if slow > now and not continuation then
  return refuse('usage', slow - now)
end

-- A caller waits for its own slot, but comes back earlier when the slot is far away.
local function wait_for(at)
  return math.min(at - now, math.max(MAX_WAIT, 4 * spacing))
end

local slot = false
if requests > 0 or concurrency > 0 then
  slot = tonumber(redis.call('ZSCORE', slots, holder))
  if slot and slot < now - EXPIRED then
    slot = false
  end
end

-- The queue is abandoned when a slot is overdue and no call has been admitted since it was due: callers that come now
-- begin a new queue, and holders of slots of the old one get a new slot when they come back.
if requests > 0 and tail > now and not (slot and slot <= now) then
  local last = tonumber(redis.call('LINDEX', log, 0) or 0)
  if redis.call('ZCOUNT', slots, math.max(last, now - EXPIRED), now - math.max(LATE, spacing)) > 0 then
    void, tail = math.max(void, tail), now
    redis.call('HSET', account, 'void', void, 'tail', tail)
  end
end

if slot and slot > now then
  if slot <= tail or slot >= void then
    return refuse('early', wait_for(slot))
  end
  redis.call('ZREM', slots, holder)
  redis.call('ZREM', share, holder)
  slot = false
end

-- Returns the time at which the limit has room for the n-th call from now. The window is (now - period, now], and the
-- log holds the last `requests` admissions.
local function room(n)
  local admission = redis.call('LINDEX', log, requests - n)
  return admission and math.max(now, admission + period + 1) or now
end

-- Returns the first time(n), at which n calls will have found room, for which fewer than n others hold reservations.
local function first_free(time, most)
  redis.call('ZREM', slots, holder)
  local at
  for n = 1, math.min(most, 50) do
    at = time(n)
    if redis.call('ZCOUNT', slots, now - LATE, at) < n then
      break
    end
  end
  return at
end

-- Returns whether a call may go without a slot: little of the limit is used, and no caller waits.
local function within_burst()
  local admission = redis.call('LINDEX', log, burst - 1)
  return not (admission and admission + period >= now) and redis.call('ZCOUNT', slots, now + 1, '+inf') == 0
end

-- 1. The rate: one call at each slot, and never more than `requests` in any window of `period`. A caller that needs
-- several calls waits until the window has room for all of them. A continuation needs room but no slot: a wait would
-- waste the work before it.
local rate_at = now
if requests > 0 then
  local free = room(needed)
  if slot then
    rate_at = free > now and math.max(first_free(room, requests), free) or now
  elseif continuation or (burst > 0 and tail > now and within_burst()) then
    rate_at = free
  else
    rate_at = math.max(tail, free)
  end
end

-- 2. Concurrent calls: a free lease that no caller with an earlier reservation is about to take.
local lease_at, gap = now, 0
local function ending(n)
  return now + math.max(MIN_WAIT, n * gap)
end
if concurrency > 0 then
  gap = math.max(1, math.floor((mean > 0 and mean or DEFAULT_DURATION) / concurrency))
  redis.call('ZREMRANGEBYSCORE', leases, '-inf', now)
  local held = redis.call('ZCARD', leases)
  if slot then
    if held >= concurrency then
      lease_at = first_free(ending, 50)
    end
  else
    local soon = now + math.max(SECOND / 2, gap)
    if held + redis.call('ZCOUNT', slots, now - LATE, soon) >= concurrency then
      lease_at = math.max(now + MIN_WAIT, lease_tail)
    end
  end
end

local at = math.max(rate_at, lease_at)
if at > now then
  if not slot then
    local most = requests > 0 and share_size or math.max(2, math.floor(2 * SECOND / gap))
    if redis.call('ZCOUNT', share, now + 1, '+inf') >= most then
      -- Half of the campaign's share is used by then: often enough to keep the share filled, without a retry per slot.
      local own = redis.call('ZRANGEBYSCORE', share, now + 1, '+inf', 'WITHSCORES', 'LIMIT', math.floor(most / 2), 1)
      return refuse('share', wait_for(own[2]))
    end
    if requests > 0 then
      redis.call('HSET', account, 'tail', math.max(tail, rate_at + spacing))
    end
    if lease_at > now then
      redis.call('HSET', account, 'lease_tail', lease_at + gap)
    end
    redis.call('PEXPIRE', account, KEEP_MS)
  end
  redis.call('ZREMRANGEBYSCORE', slots, '-inf', now - EXPIRED)
  redis.call('ZADD', slots, at, holder)
  redis.call('PEXPIRE', slots, KEEP_MS)
  redis.call('ZREMRANGEBYSCORE', share, '-inf', now)
  redis.call('ZADD', share, at, holder)
  redis.call('PEXPIRE', share, math.ceil((at - now + EXPIRED) / 1000))
  return refuse(rate_at >= lease_at and 'rate' or 'concurrency', wait_for(at))
end

-- 3. The circuit breaker. A circuit without a state is closed.
local state, due, probe, probe_until = unpack(redis.call('HMGET', circuit, 'state', 'until', 'probe', 'probe_until'))
local probing = 0
if state then
  if tonumber(due) > now then
    return refuse('open', due - now)
  end
  -- Its own token means that the same request was sent again after a lost connection.
  if probe and probe ~= token and tonumber(probe_until) > now then
    return refuse('half_open', probe_until - now)
  end
  probing = state == 'open' and 2 or 1
  redis.call('HSET', circuit, 'state', 'half_open', 'probe', token, 'probe_until', now + lease)
end

if slot then
  redis.call('ZREM', slots, holder)
  redis.call('ZREM', share, holder)
end
if requests > 0 then
  redis.call('LPUSH', log, now)
  redis.call('LTRIM', log, 0, requests - 1)
  redis.call('PEXPIRE', log, math.ceil(period / 1000) + 60000)
  -- A call admitted without a slot of its own makes the queue one slot longer.
  local next_tail = continuation and not slot and math.max(tail, now) + spacing or math.max(tail, now + spacing)
  redis.call('HSET', account, 'tail', next_tail)
  redis.call('PEXPIRE', account, KEEP_MS)
end
if concurrency > 0 then
  redis.call('ZADD', leases, now + lease, token)
  redis.call('PEXPIRE', leases, KEEP_MS)
end
count('admitted')
return {'admitted', now, 0, probing}

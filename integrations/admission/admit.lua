-- Admits one call of one circuit, or says why not and how long to wait. One round trip.
--
-- Order: what the provider asked for (Retry-After), then the account's limits, then the circuit breaker. Nothing is
-- consumed before all three have agreed; a caller refused by a limit leaves with a reservation.
--
-- Returns {verdict, now, wait, probe}: verdict "admitted" or the reason; probe 1 when the call is the circuit's probe,
-- 2 when it is the one that turned the circuit from open to half-open.

local circuit, account, log, slots, leases, share, known = unpack(KEYS)
local now = clock(ARGV[1])
local name, token, holder = ARGV[2], ARGV[3], ARGV[4]
local lease = tonumber(ARGV[5])
local requests, period, spacing = tonumber(ARGV[6]), tonumber(ARGV[7]), tonumber(ARGV[8])
local share_size, concurrency = tonumber(ARGV[9]), tonumber(ARGV[10])
local burst, goes_on, needed = tonumber(ARGV[11]), ARGV[12] == '1', math.min(tonumber(ARGV[13]), math.max(requests, 1))

local function counted(field)
  if redis.call('HINCRBY', circuit, field, 1) == 1 then
    redis.call('ZREMRANGEBYSCORE', known, '-inf', now - KEEP_MS * 1000)
  end
  redis.call('PEXPIRE', circuit, KEEP_MS)
  redis.call('ZADD', known, now, name)
  redis.call('PEXPIRE', known, KEEP_MS)
end

local function refused(reason, wait)
  counted('deferred:' .. reason)
  return {reason, now, wait, 0}
end

-- tail: the first slot in time that nobody has reserved. lease_tail: the same for the ends of concurrent calls.
-- mean: how long recent calls took. void: the tail of a queue that was given up.
local tail, lease_tail, blocked, mean, void = numbers(account, 'tail', 'lease_tail', 'blocked', 'mean', 'void')

if blocked > now then
  return refused('provider', blocked - now)
end

-- A caller waits for its own slot, and not beyond the next look-in.
local function wait_for(at)
  return math.min(at - now, math.max(LOOK_IN, 4 * spacing))
end

local slot = false
if requests > 0 or concurrency > 0 then
  slot = tonumber(redis.call('ZSCORE', slots, holder))
  if slot and slot < now - FORGOTTEN then
    slot = false
  end
end

-- The queue has died when a slot has been due for long and nobody at all came after it: the next ones begin a new
-- queue at once, and those behind the dead move up when they look in.
if requests > 0 and tail > now and not (slot and slot <= now) then
  local last = tonumber(redis.call('LINDEX', log, 0) or 0)
  if redis.call('ZCOUNT', slots, math.max(last, now - FORGOTTEN), now - math.max(LATE, spacing)) > 0 then
    void, tail = math.max(void, tail), now
    redis.call('HSET', account, 'void', void, 'tail', tail)
  end
end

if slot and slot > now then
  if slot <= tail or slot >= void then
    return refused('early', wait_for(slot))
  end
  redis.call('ZREM', slots, holder)
  redis.call('ZREM', share, holder)
  slot = false
end

-- When the log has room again for the n-th call from now: the window is (now - period, now], its log the last
-- `requests` admissions.
local function room(n)
  local admission = redis.call('LINDEX', log, requests - n)
  return admission and math.max(now, admission + period + 1) or now
end

-- The first moment(n), when n calls will have found room, that fewer than n others have a reservation for.
local function near(moment, most)
  redis.call('ZREM', slots, holder)
  local at
  for n = 1, math.min(most, 50) do
    at = moment(n)
    if redis.call('ZCOUNT', slots, now - LATE, at) < n then
      break
    end
  end
  return at
end

-- A caller that needs several calls at once waits until the window has room for all of them.

-- Is so little of the limit used, and nobody waiting, that a call need not wait for a slot of its own?
local function roomy()
  local admission = redis.call('LINDEX', log, burst - 1)
  return not (admission and admission + period >= now) and redis.call('ZCOUNT', slots, now + 1, '+inf') == 0
end

-- 1. The rate: one call at each slot, and never more than `requests` in any window of `period`. A caller that goes on
-- has work in its hands that would be done again: it needs no slot, only room.
local rate_at = now
if requests > 0 then
  local free = room(needed)
  if slot then
    rate_at = free > now and math.max(near(room, requests), free) or now
  elseif goes_on or (burst > 0 and tail > now and roomy()) then
    rate_at = free
  else
    rate_at = math.max(tail, free)
  end
end

-- 2. Concurrent calls: a free place that nobody who is about to come has waited for.
local lease_at, gap = now, 0
local function ending(n)
  return now + math.max(LEAST, n * gap)
end
if concurrency > 0 then
  gap = math.max(1, math.floor((mean > 0 and mean or GUESS) / concurrency))
  redis.call('ZREMRANGEBYSCORE', leases, '-inf', now)
  local held = redis.call('ZCARD', leases)
  if slot then
    if held >= concurrency then
      lease_at = near(ending, 50)
    end
  else
    local soon = now + math.max(SECOND / 2, gap)
    if held + redis.call('ZCOUNT', slots, now - LATE, soon) >= concurrency then
      lease_at = math.max(now + LEAST, lease_tail)
    end
  end
end

local at = math.max(rate_at, lease_at)
if at > now then
  if not slot then
    local most = requests > 0 and share_size or math.max(2, math.floor(2 * SECOND / gap))
    if redis.call('ZCOUNT', share, now + 1, '+inf') >= most then
      -- Half of its share will be used by then: often enough to keep it filled, and not for each slot.
      local own = redis.call('ZRANGEBYSCORE', share, now + 1, '+inf', 'WITHSCORES', 'LIMIT', math.floor(most / 2), 1)
      return refused('share', wait_for(own[2]))
    end
    if requests > 0 then
      redis.call('HSET', account, 'tail', math.max(tail, rate_at + spacing))
    end
    if lease_at > now then
      redis.call('HSET', account, 'lease_tail', lease_at + gap)
    end
    redis.call('PEXPIRE', account, KEEP_MS)
  end
  redis.call('ZREMRANGEBYSCORE', slots, '-inf', now - FORGOTTEN)
  redis.call('ZADD', slots, at, holder)
  redis.call('PEXPIRE', slots, KEEP_MS)
  redis.call('ZREMRANGEBYSCORE', share, '-inf', now)
  redis.call('ZADD', share, at, holder)
  redis.call('PEXPIRE', share, math.ceil((at - now + FORGOTTEN) / 1000))
  return refused(rate_at >= lease_at and 'rate' or 'concurrency', wait_for(at))
end

-- 3. The circuit breaker. No state: closed.
local state, due, probe, probe_until = unpack(redis.call('HMGET', circuit, 'state', 'until', 'probe', 'probe_until'))
local probing = 0
if state then
  if tonumber(due) > now then
    return refused('open', due - now)
  end
  -- The own token: the same request again, after a lost connection.
  if probe and probe ~= token and tonumber(probe_until) > now then
    return refused('half_open', probe_until - now)
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
  -- Who went without a slot of its own makes the queue one slot longer.
  redis.call('HSET', account, 'tail', goes_on and not slot and math.max(tail, now) + spacing or math.max(tail, now + spacing))
  redis.call('PEXPIRE', account, KEEP_MS)
end
if concurrency > 0 then
  redis.call('ZADD', leases, now + lease, token)
  redis.call('PEXPIRE', leases, KEEP_MS)
end
counted('admitted')
return {'admitted', now, 0, probing}

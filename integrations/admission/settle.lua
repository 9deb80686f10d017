-- Records how one admitted call ended.
--
-- The verdict is about the provider: "works", "failed", or "none" when the call says nothing about it. Only the holder
-- of the current probe closes a circuit that is not closed, or opens it again. A failure of a call that began before
-- the last change of state is ignored.
--
-- Returns {now, before, after, reason}, the last three empty when the circuit's state did not change.

local circuit, failures, account, leases = unpack(KEYS)
local now = clock(ARGV[1])
local token, begun, verdict = ARGV[2], tonumber(ARGV[3]), ARGV[4]
local threshold, window, recovery = tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
local block, leased, slow = tonumber(ARGV[8]), ARGV[9] == '1', tonumber(ARGV[10])

if leased and redis.call('ZREM', leases, token) == 1 and verdict ~= 'none' then
  local mean = numbers(account, 'mean')
  local lasted = math.max(0, now - begun)
  redis.call('HSET', account, 'mean', math.floor(mean > 0 and mean + (lasted - mean) / 5 or lasted))
  redis.call('PEXPIRE', account, KEEP_MS)
end
if block > 0 then
  redis.call('HSET', account, 'blocked', math.max(numbers(account, 'blocked'), now + block))
  redis.call('PEXPIRE', account, KEEP_MS)
end
if slow > 0 then
  redis.call('HSET', account, 'slow', math.max(numbers(account, 'slow'), now + slow))
  redis.call('PEXPIRE', account, KEEP_MS)
end

local function open()
  redis.call('HSET', circuit, 'state', 'open', 'until', now + recovery, 'changed', now)
  redis.call('HDEL', circuit, 'probe', 'probe_until')
  redis.call('PEXPIRE', circuit, KEEP_MS)
  redis.call('DEL', failures)
end

local state, probe, changed = unpack(redis.call('HMGET', circuit, 'state', 'probe', 'changed'))
if state then
  if probe ~= token then
    return {now, '', '', ''}
  end
  if verdict == 'failed' then
    open()
    return {now, 'half_open', 'open', 'probe_failed'}
  elseif verdict == 'works' then
    redis.call('HDEL', circuit, 'state', 'until', 'probe', 'probe_until')
    redis.call('HSET', circuit, 'changed', now)
    return {now, 'half_open', 'closed', 'probe_succeeded'}
  end
  redis.call('HDEL', circuit, 'probe', 'probe_until')
elseif verdict == 'failed' and begun >= tonumber(changed or 0) then
  redis.call('ZREMRANGEBYSCORE', failures, '-inf', now - window)
  redis.call('ZADD', failures, now, token)
  redis.call('PEXPIRE', failures, math.ceil(window / 1000) + 60000)
  if redis.call('ZCARD', failures) >= threshold then
    open()
    return {now, 'closed', 'open', 'failures'}
  end
end
return {now, '', '', ''}

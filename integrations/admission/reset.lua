-- Closes one circuit on an operator's command and forgets its failures.
--
-- Returns {now, before}: before is the state that it was in, empty when it was closed.

local circuit, failures = unpack(KEYS)
local now = clock(ARGV[1])
local state = redis.call('HGET', circuit, 'state')
redis.call('DEL', failures)
redis.call('HDEL', circuit, 'state', 'until', 'probe', 'probe_until')
redis.call('HSET', circuit, 'changed', now)
redis.call('PEXPIRE', circuit, KEEP_MS)
return {now, state or ''}

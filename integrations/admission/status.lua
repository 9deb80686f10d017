-- Reads the figures of one circuit and its account. Writes nothing.
--
-- Returns {now, fields of the circuit, failures in the window, blocked until, requests in the period, leases, waiting,
-- slowed until}.

local circuit, failures, account, log, slots, leases = unpack(KEYS)
local now = clock(ARGV[1])
local window, period = tonumber(ARGV[2]), tonumber(ARGV[3])

-- Admissions within the period, by bisection: the log is sorted, newest first.
local low, high = 0, redis.call('LLEN', log)
while low < high do
  local middle = math.floor((low + high) / 2)
  if tonumber(redis.call('LINDEX', log, middle)) > now - period then
    low = middle + 1
  else
    high = middle
  end
end

return {
  now,
  redis.call('HGETALL', circuit),
  -- The bounds are whole numbers: + 1 leaves out failures that are exactly as old as the window.
  redis.call('ZCOUNT', failures, now - window + 1, '+inf'),
  numbers(account, 'blocked'),
  low,
  redis.call('ZCOUNT', leases, now + 1, '+inf'),
  redis.call('ZCOUNT', slots, now + 1, '+inf'),
  numbers(account, 'slow'),
}

-- Text that is put in front of each script of this folder.
--
-- Times and durations are whole microseconds by Redis' own clock, which all processes share. They are exact in a Lua
-- number and in a score (below 2^53). Redis writes Lua numbers with 17 digits, `..` with 14: never concatenate times.

local SECOND = 1000000

-- No room is kept for a holder that is later than this. It may still be admitted without queueing, while there is room.
local LATE = 2 * SECOND
-- The reservation of a holder that is this late has expired: the holder queues again.
local EXPIRED = 120 * SECOND
-- A caller comes back after this long, however far away its slot is, because the queue before it may be abandoned.
local MAX_WAIT = 60 * SECOND
-- The shortest wait for the end of a concurrent call.
local MIN_WAIT = SECOND / 5
-- The assumed duration of a call before one has been timed.
local DEFAULT_DURATION = SECOND

-- Keys that were not used for this long expire.
local KEEP_MS = 7 * 24 * 3600 * 1000

-- Returns the time given by a test, else Redis' own.
local function clock(given)
  if given ~= '' then
    return tonumber(given)
  end
  local time = redis.call('TIME')
  return time[1] * SECOND + time[2]
end

-- Returns the fields of a hash as numbers, 0 for one that is absent.
local function numbers(key, ...)
  local found = redis.call('HMGET', key, ...)
  for i = 1, #found do
    found[i] = tonumber(found[i] or 0)
  end
  return unpack(found)
end

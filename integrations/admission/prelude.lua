-- Joined in front of each script of this folder.
--
-- Times and durations are whole microseconds by Redis' own clock, which all processes share. They are exact in a Lua
-- number and in a score (below 2^53); Redis writes Lua numbers with 17 digits. `..` would write 14: don't join times.

local SECOND = 1000000

-- A holder later than this is not counted on any more. It may still go without queueing, while there is room.
local LATE = 2 * SECOND
-- A holder this late is forgotten and begins anew.
local FORGOTTEN = 120 * SECOND
-- However far away its slot is, a caller looks in after this long: the queue before it may have died.
local LOOK_IN = 60 * SECOND
-- No caller is told a shorter wait for a concurrent call's end than this.
local LEAST = SECOND / 5
-- What a call is taken to last while none has been timed.
local GUESS = SECOND

-- Keys nobody has touched for this long go.
local KEEP_MS = 7 * 24 * 3600 * 1000

-- The time given by a test, else Redis' own.
local function clock(given)
  if given ~= '' then
    return tonumber(given)
  end
  local time = redis.call('TIME')
  return time[1] * SECOND + time[2]
end

-- The fields of a hash as numbers, 0 for one that is absent.
local function numbers(key, ...)
  local found = redis.call('HMGET', key, ...)
  for i = 1, #found do
    found[i] = tonumber(found[i] or 0)
  end
  return unpack(found)
end

"""The Lua of `ceadmin.lib.ratelimit`: each script is one call, and tells time by Redis' clock.

A scope is a hash of moments and rates, in microseconds and calls a second:

    turn    when the next call may leave (a token bucket kept as the time at which it is
            full again: the "generic cell rate algorithm")
    until   nothing leaves before: the server said Retry-After
    slow    the rate to which 429 and 503 have brought it down, at the moment `since`
    top     the rate at which it is as it was

A hash that vanishes changes nothing but the pace.
"""

#: Calls that did not leave at their turn are made up for so long; what is older is lost.
LATE = 0.05
#: Turns are given so far ahead: an intent is written down meanwhile.
AHEAD = 0.1
#: A tenth of a second's worth is the largest batch.
BATCH = 0.1
#: Of `top`, gained back in a second: from half to whole in ten.
RECOVERY = 0.05
#: Troubles within so many seconds are one trouble: calls in flight end together.
SAME_TROUBLE = 1.0
#: A host is asked at least so often, calls a second.
SLOWEST = 0.1
#: A scope that nobody used is forgotten after so many seconds.
FORGOTTEN = 120

_COMMON = f"""
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local function write(key, name, value)
  redis.call('HSET', key, name, string.format('%.3f', value))
end
local function pace(key)
  local row = redis.call('HMGET', key, 'slow', 'since', 'top')
  local slow, since, top = tonumber(row[1]), tonumber(row[2]), tonumber(row[3])
  if not slow then return nil end
  local rate = slow + top * {RECOVERY} * (now - since) / 1000000
  if rate < top then return rate, top, since end
  redis.call('HDEL', key, 'slow', 'since', 'top')
  return nil
end
local function pause(key)
  return math.max(0, (tonumber(redis.call('HGET', key, 'until')) or 0) - now)
end
local function keep(key, micros)
  -- Never earlier than it was: a call that ends within a long pause must not end the pause.
  local kept = math.ceil(micros / 1000) + {FORGOTTEN * 1000}
  redis.call('PEXPIRE', key, math.max(kept, redis.call('PTTL', key)))
end
"""

#: KEYS: the scopes of a call. ARGV: calls wanted, then for each scope the microseconds
#: between two calls (0: as many as you like). Returns calls granted, microseconds until
#: the first, between them, and until asking again; then each scope's next turn.
TAKE = (
    _COMMON
    + f"""
local late, ahead = {int(LATE * 1e6)}, {int(AHEAD * 1e6)}
local start, apart, wait = now - late, 0, 0
local each, turn = {{}}, {{}}
for i, key in ipairs(KEYS) do
  wait = math.max(wait, pause(key))
  each[i] = tonumber(ARGV[i + 1])
  local rate = pace(key)
  if rate then each[i] = math.max(each[i], 1000000 / rate) end
  turn[i] = math.max(tonumber(redis.call('HGET', key, 'turn')) or 0, now - late)
  start, apart = math.max(start, turn[i]), math.max(apart, each[i])
end
wait = math.max(wait, start - now - ahead)
if wait > 0 then return {{0, 0, 0, math.ceil(wait)}} end
local count = tonumber(ARGV[1])
if apart == 0 then return {{count, 0, 0, 0}} end
count = math.min(count, math.floor((now + ahead - start) / apart) + 1)
count = math.min(count, math.max(1, math.floor({int(BATCH * 1e6)} / apart)))
local said = {{count, math.floor(start - now), math.floor(apart), 0}}
for i, key in ipairs(KEYS) do
  if each[i] > 0 then
    turn[i] = math.floor(turn[i] + count * each[i])
    write(key, 'turn', turn[i])
    keep(key, math.max(0, turn[i] - now))
  end
  said[i + 4] = turn[i]
end
return said
"""
)

#: KEYS: scopes. ARGV: for each its next turn as TAKE said, and the microseconds given
#: back. What others took meanwhile stays as it is.
GIVE_BACK = """
for i, key in ipairs(KEYS) do
  local turn = tonumber(redis.call('HGET', key, 'turn'))
  if turn and turn == tonumber(ARGV[2 * i - 1]) then
    redis.call('HSET', key, 'turn', string.format('%.3f', turn - ARGV[2 * i]))
  end
end
"""

#: KEYS: scopes. Returns for each the microseconds of its pause, and the calls in a
#: thousand seconds that it is slowed down to (0: it is not).
LOOK = (
    _COMMON
    + """
local said = {}
for _, key in ipairs(KEYS) do
  said[#said + 1] = math.ceil(pause(key))
  said[#said + 1] = math.ceil((pace(key) or 0) * 1000)
end
return said
"""
)

#: KEYS: a scope. ARGV: microseconds. A longer pause that stands already stays.
PAUSE = (
    _COMMON
    + """
local length = math.max(pause(KEYS[1]), tonumber(ARGV[1]))
write(KEYS[1], 'until', now + length)
keep(KEYS[1], length)
"""
)

#: KEYS: a scope. ARGV: the rate it had, and a factor of about a half that differs a little
#: from call to call.
SLOW = (
    _COMMON
    + f"""
local rate, top, since = pace(KEYS[1])
if rate and now - since < {int(SAME_TROUBLE * 1e6)} then return end
top = math.max(top or 0, tonumber(ARGV[1]))
rate = math.max((rate or top) * ARGV[2], {SLOWEST})
write(KEYS[1], 'slow', rate)
write(KEYS[1], 'since', now)
write(KEYS[1], 'top', math.max(top, rate))
local turn = tonumber(redis.call('HGET', KEYS[1], 'turn')) or 0
write(KEYS[1], 'turn', math.max(turn, now + 1000000 / rate))
keep(KEYS[1], {int(1e6 / RECOVERY)})
"""
)

#: KEYS: a scope's slots, worker → "slots:lease". ARGV: who asks, slots wanted in all (-1:
#: leave), the limit, microseconds of the lease. Returns slots held now, workers there,
#: and whether one of the others has none.
SLOTS = (
    _COMMON
    + """
local me, wanted, most = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local taken, workers, starving = 0, 1, 0
local rows = redis.call('HGETALL', KEYS[1])
for i = 1, #rows, 2 do
  local count, lease = string.match(rows[i + 1], '^(%d+):(%d+)$')
  if rows[i] ~= me then
    if tonumber(lease) < now then
      redis.call('HDEL', KEYS[1], rows[i])
    else
      taken, workers = taken + count, workers + 1
      if tonumber(count) == 0 then starving = 1 end
    end
  end
end
if wanted < 0 then redis.call('HDEL', KEYS[1], me) return {0, workers, starving} end
local held = math.max(0, math.min(wanted, most - taken))
redis.call('HSET', KEYS[1], me, string.format('%d:%.0f', held, now + ARGV[4]))
keep(KEYS[1], tonumber(ARGV[4]))
return {held, workers, starving}
"""
)

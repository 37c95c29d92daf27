"""Pace: the scripts that Redis runs, each one round trip. Its clock counts, in microseconds, not that of any host.

A bucket is a hash: `level` of tokens `at` a time. While it is slowed it also has a `rate` of its own, `from` which
rate it came, `since` when, `slowed` when last, `grown` when last, `why`, and how many `times`.
"""

from __future__ import annotations

BURST_SECONDS = 1.0  # what a bucket holds, at its rate; one token at least
GROWTH = 1.02  # a second, while it goes well
GROWN_SECONDS = 60  # of growth at once, at most: what is accepted once a minute stands for that minute
LEAST_PART = 0.01  # of the rate it was slowed from: nothing is slowed below that
LEAST_RATE = 1 / 60  # a second: nor below one a minute
RECOVERED_SECONDS = 600  # without trouble, and as fast as before: a limit that nobody configured is lifted
FORGOTTEN_SECONDS = 3600  # without trouble: what happened then says nothing about now
KEPT_SECONDS = 86_400  # the last trouble stays to be seen
COUNTED_SECONDS = 10  # what all processes send is counted up by such times

_BUCKET = f"""
local now = tonumber(ARGV[1])
if not now then local t = redis.call('TIME') now = t[1] * 1000000 + t[2] end
local function text(number) return string.format('%.0f', number) end

-- A bucket filled up to now. A new one has a single token, so that a Redis that lost all gives no burst.
local function read(key, limit)
  local h = redis.call('HMGET', key, 'level', 'at', 'rate', 'from', 'slowed', 'grown')
  local b = {{key = key, limit = limit, own = tonumber(h[3]), from = tonumber(h[4]) or 0,
             slowed = tonumber(h[5]) or 0, grown = tonumber(h[6]) or 0}}
  b.rate = b.own or limit
  local passed = math.max(0, now - (tonumber(h[2]) or now)) / 1000000
  b.level = math.min(math.max(1, b.rate * {BURST_SECONDS}), (tonumber(h[1]) or 1) + passed * b.rate)
  return b
end

-- What was slowed grows back; it is free again when it has its old rate, or when the trouble is long past.
local function grow(b, well)
  if not b.own then return end
  local calm = (now - b.slowed) / 1000000
  local seconds = (now - math.max(b.grown, b.slowed)) / 1000000
  if well and calm >= 1 and seconds >= 1 then
    b.own = b.own * {GROWTH} ^ math.min(seconds, {GROWN_SECONDS})
    b.grown = now
  end
  if (b.limit > 0 and b.own >= b.limit) or calm >= {FORGOTTEN_SECONDS}
    or (b.limit == 0 and b.own >= b.from and calm >= {RECOVERED_SECONDS}) then
    b.own = nil
    redis.call('HDEL', b.key, 'rate', 'from', 'since', 'grown', 'times')
  end
  b.rate = b.own or b.limit
end

local function write(b)
  redis.call('HSET', b.key, 'level', string.format('%.9f', b.level), 'at', text(now))
  if b.own then redis.call('HSET', b.key, 'rate', string.format('%.9f', b.own), 'grown', text(b.grown)) end
  redis.call('EXPIRE', b.key, {KEPT_SECONDS} + (b.rate > 0 and math.ceil(1 / b.rate) or 0))
end
"""

# ARGV: now or '', the most that is wanted, then of each key its limit and whether it goes well (1 or 0).
# Gives how many tokens of each (as many of one as of the other, or none at all), the time, and rates and levels.
LEASE = (
    _BUCKET
    + """
local count, buckets = tonumber(ARGV[2]), {}
for i, key in ipairs(KEYS) do
  local b = read(key, tonumber(ARGV[2 * i + 1]))
  grow(b, ARGV[2 * i + 2] == '1')
  if b.rate > 0 then count = math.max(0, math.min(count, math.floor(b.level))) end
  buckets[i] = b
end
local answer = {count, text(now)}
for i, b in ipairs(buckets) do
  if b.rate > 0 then b.level = b.level - count end
  write(b)
  answer[2 * i + 1], answer[2 * i + 2] = tostring(b.rate), tostring(b.level)
end
return answer
"""
)

# ARGV: now or '', then of each key its limit, how many come back and when they were leased. What the bucket may have
# spilled meanwhile for want of them is kept back: it must be as if they had never left.
GIVE_BACK = (
    _BUCKET
    + f"""
for i, key in ipairs(KEYS) do
  local b, leased = read(key, tonumber(ARGV[3 * i - 1])), tonumber(ARGV[3 * i + 1])
  local back = tonumber(ARGV[3 * i]) - b.rate * (now - leased) / 1000000
  if back > 0 and b.slowed < leased then
    b.level = math.min(math.max(1, b.rate * {BURST_SECONDS}), b.level + back)
    write(b)
  end
end
"""
)

# KEYS: the bucket, the names that were slowed, the beginning of the counts' keys. ARGV: now or '', limit, rate as
# this process measured it, why, name. Gives the new rate.
SLOWER = (
    _BUCKET
    + f"""
local b = read(KEYS[1], tonumber(ARGV[2]))
if b.own and now - b.slowed < 1000000 then return tostring(b.own) end
local count = math.floor(now / {COUNTED_SECONDS * 1_000_000})
local last = (tonumber(redis.call('HGET', KEYS[3] .. text(count - 1), ARGV[5])) or 0) / {COUNTED_SECONDS}
local this = (tonumber(redis.call('HGET', KEYS[3] .. text(count), ARGV[5])) or 0)
  / math.max(1, now / 1000000 - count * {COUNTED_SECONDS})
local before = b.own or math.max(tonumber(ARGV[3]), last, this)
if b.limit > 0 then before = math.min(before, b.limit) end
if not b.own then
  b.from = before
  redis.call('HSET', b.key, 'from', tostring(before), 'since', text(now))
end
b.own = math.min(before, math.max({LEAST_RATE}, {LEAST_PART} * b.from, before / 2))
b.rate, b.grown, b.level = b.own, now, 0
redis.call('HSET', b.key, 'slowed', text(now), 'why', ARGV[4])
redis.call('HINCRBY', b.key, 'times', 1)
redis.call('ZADD', KEYS[2], text(now), ARGV[5])
write(b)
return tostring(b.own)
"""
)

# KEYS: the processes, the names that were slowed, the beginning of the counts' keys. ARGV: now or '', our own name, how
# long a silent process counts (s), the beginning of a bucket's key; then names, and what we sent of each since the last
# look. Gives how many processes there are, then names and rates of what is slowed.
LOOK = f"""
local now = tonumber(ARGV[1])
if not now then local t = redis.call('TIME') now = t[1] * 1000000 + t[2] end
local function text(number) return string.format('%.0f', number) end
redis.call('ZADD', KEYS[1], text(now), ARGV[2])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', text(now - ARGV[3] * 1000000))
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', text(now - {KEPT_SECONDS} * 1000000))
redis.call('EXPIRE', KEYS[1], {KEPT_SECONDS})
redis.call('EXPIRE', KEYS[2], {KEPT_SECONDS})
local counts = KEYS[3] .. text(math.floor(now / {COUNTED_SECONDS * 1_000_000}))
for i = 5, #ARGV, 2 do redis.call('HINCRBY', counts, ARGV[i], ARGV[i + 1]) end
redis.call('EXPIRE', counts, {3 * COUNTED_SECONDS})
local answer = {{redis.call('ZCARD', KEYS[1])}}
for _, name in ipairs(redis.call('ZRANGE', KEYS[2], 0, -1)) do
  local rate = redis.call('HGET', ARGV[4] .. name, 'rate')
  if rate then answer[#answer + 1] = name answer[#answer + 1] = rate end
end
return answer
"""

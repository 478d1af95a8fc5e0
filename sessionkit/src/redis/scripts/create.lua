-- Stores a new session, unless the key is in use.
--
-- KEYS[1]  the session's hash
-- ARGV     the seconds until Redis may forget it, then fields and values
--
-- Replies 1, or 0 if the key is in use.

local key = KEYS[1]
if redis.call('EXISTS', key) == 1 then
  return 0
end
-- Lua passes a few thousand arguments at most.
for i = 2, #ARGV, 1000 do
  redis.call('HSET', key, unpack(ARGV, i, math.min(i + 999, #ARGV)))
end
redis.call('EXPIRE', key, ARGV[1])
return 1

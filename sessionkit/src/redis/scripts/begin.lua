-- Applies a delta to a session: all of it, or nothing.
--
-- KEYS[1]  the session's hash
-- ARGV     now, the generation, then operations: each its letter and its arguments, see `script.rs`
--
-- Replies { 'committed', header }, { 'conflict', { field, value, .. } }, { 'stale' }, { 'gone' } or { 'corrupt', field }.
--
-- Redis does not undo what a script did before it failed, so everything is decided before the first write.

local key = KEYS[1]
local now = tonumber(ARGV[1])

-- Redis may forget the session this many seconds after its deadline; never before.
local SLACK = 60
-- The header, see `Header::pack`: all but the secret.
local HEADER = '>BI4BI4I4I4I4I4I4'
local LONGEST = 4294967294

local stored = redis.pcall('HMGET', key, '@', '@prev', '@ttl')
if stored.err then
  if stored.err:find('WRONGTYPE', 1, true) then
    return { 'corrupt', key }
  end
  return stored
end
local packed, soonest = stored[1], stored[3]
if not packed then
  if redis.call('EXISTS', key) == 0 then
    return { 'gone' }
  end
  return { 'corrupt', '@' }
end
if #packed ~= 62 or packed:byte(1) ~= 1 then
  return { 'corrupt', '@' }
end
-- The previous secret, when it was renewed, and its end after a colon if it has one.
if stored[2] and not (stored[2]:find('^%d+$', 33) or stored[2]:find('^%d+:%d+$', 33)) then
  return { 'corrupt', '@prev' }
end
if soonest and not soonest:find('^%d+$') then
  return { 'corrupt', '@ttl' }
end

-- Times are seconds after `created`; `authenticated` and `absolute` are one more, and zero for none.
local _, generation, high, low, authenticated, seen, idle, absolute, ttl = struct.unpack(HEADER, packed)
local created = high * 4294967296 + low
local secret = packed:sub(31)

local function deadline()
  local ends = idle
  if absolute > 0 then
    ends = math.min(idle, absolute - 1)
  end
  return created + ends
end

if now >= deadline() then
  return { 'gone' }
end
if generation ~= tonumber(ARGV[2]) then
  return { 'stale' }
end

-- The manager's clock decides when Redis may forget the session.
local function expire()
  redis.call('EXPIRE', key, string.format('%.0f', math.max(deadline() - now, 0) + SLACK))
end

-- Most commits set fields, of a session in which nothing ends before it does itself. They are done here: for the rest,
-- Redis makes a good many functions and tables, at every call.
local values = {}
local plain = not soonest
for i = 3, #ARGV, 4 do
  -- A field, its value, and no deadline.
  if not plain or #values == 1000 or ARGV[i] ~= 's' or ARGV[i + 3] ~= '' then
    plain = false
    break
  end
  values[#values + 1] = ARGV[i + 1]
  values[#values + 1] = ARGV[i + 2]
end
if plain and #values > 0 then
  redis.call('HSET', key, unpack(values))
  expire()
  return { 'committed', packed }
end


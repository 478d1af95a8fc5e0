-- Whatever `begin.lua` has left to do; `integer.lua` comes before.

-- What each field that was looked at holds after the operations so far; `false` for nothing.
local work = { ['@prev'] = stored[2] }
-- The fields that an operation wrote.
local written = {}
-- Whether `work` has all fields.
local whole = false

local function put(name, value)
  work[name] = value
  written[name] = true
end

-- A value without flags is stored as it is, unless it begins with `!`. Otherwise `!`, `c` if it is carried over a change
-- of user, `@` and its deadline if it has one, and a space come before it.
local function parse(value)
  if value:byte(1) ~= 33 then
    return value, false, nil
  end
  local flags, start = value:match('^!([c@%d]*) ()')
  if not flags then
    return nil
  end
  local carried = flags:byte(1) == 99
  local rest = carried and flags:sub(2) or flags
  local ends = rest:match('^@(%d+)$')
  if rest ~= '' and not ends then
    return nil
  end
  return value:sub(start), carried, ends
end

local function is_header(name)
  return name:byte(1) == 64
end

-- What is not an integer, or what Redis cannot read, ends the script through here.
local function corrupt(name)
  error({ corrupt = name })
end

local function checked(name, value)
  local bytes, carried, ends = parse(value)
  if not bytes then
    corrupt(name)
  end
  return bytes, carried, ends
end

-- The bytes of a field; nil where it is absent or its time is up.
local function held(name)
  local value = work[name]
  if value ~= nil then
    return value and checked(name, value)
  end
  value = not whole and redis.call('HGET', key, name)
  if not value then
    return nil
  end
  local bytes, _, ends = checked(name, value)
  if ends and now >= tonumber(ends) then
    put(name, false)
    return nil
  end
  work[name] = value
  return bytes
end

local function read_all()
  if whole then
    return
  end
  whole = true
  local all = redis.call('HGETALL', key)
  for i = 1, #all, 2 do
    if work[all[i]] == nil then
      work[all[i]] = all[i + 1]
    end
  end
end

-- Fields that are left out by `keep` are removed.
local function retain(keep)
  read_all()
  local removed = {}
  for name, value in pairs(work) do
    if value and not is_header(name) and not keep(name, value) then
      removed[#removed + 1] = name
    end
  end
  for _, name in ipairs(removed) do
    put(name, false)
  end
end

local MOST = '170141183460469231731687303715884105727'
local LEAST = '170141183460469231731687303715884105728'

local function counter(name)
  local digits, negative = integer(held(name) or '0')
  if not digits or below(negative and LEAST or MOST, digits) then
    corrupt(name)
  end
  return digits, negative
end

local position = 2
local function take()
  position = position + 1
  return ARGV[position]
end

local function offset(time)
  return math.max(0, math.min(tonumber(time) - created, LONGEST))
end

local function optional(time)
  return time == '' and 0 or offset(time) + 1
end

local operations = {}

-- Authenticate: at, idle deadline, ttl, absolute deadline or nothing. The user comes after it.
operations['A'] = function()
  local at = take()
  -- A clock that was ahead may have begun the session: no time of a login lies before its beginning.
  if tonumber(at) < created then
    created = tonumber(at)
    high, low = math.floor(created / 4294967296), created % 4294967296
  end
  authenticated, seen = optional(at), offset(at)
  idle = offset(take())
  ttl = math.min(tonumber(take()), LONGEST)
  absolute = optional(take())
  put('@label', false)
end

-- Whose session it is: user.
operations['U'] = function()
  put('@user', take())
  for _, name in ipairs({ '@methods', '@actor', '@stamp' }) do
    put(name, false)
  end
end

-- What else the header says of the login: field, value.
operations['H'] = function()
  put(take(), take())
end

-- Rotate: secret.
operations['R'] = function()
  secret = take()
  put('@prev', false)
  generation = (generation + 1) % 4294967296
end

-- Renew: the secret that must be current, the new one, when.
operations['N'] = function()
  local if_current, new, at = take(), take(), take()
  local previous = work['@prev']
  local ends = previous and previous:match(':(%d+)$', 33)
  if secret ~= if_current or (ends and tonumber(at) < tonumber(ends)) then
    return
  end
  -- A secret that was never used is not one that the client has.
  local unused = previous and not ends
  put('@prev', (unused and previous:sub(1, 32) or secret) .. at)
  secret = new
end

-- EndPrevious: the secret that must be current, until.
operations['E'] = function()
  local if_current, ends, previous = take(), take(), work['@prev']
  if not previous or secret ~= if_current then
    return
  end
  local renewed, earlier = previous:match('^(%d+):?(%d*)$', 33)
  if earlier == '' or tonumber(ends) < tonumber(earlier) then
    put('@prev', previous:sub(1, 32) .. renewed .. ':' .. ends)
  end
end

-- Touch: last seen, idle deadline.
operations['T'] = function()
  seen = math.max(seen, offset(take()))
  local latest = offset(take())
  if absolute > 0 then
    latest = math.min(latest, absolute - 1)
  end
  idle = math.max(idle, latest)
end

-- The field must hold these bytes.
operations['='] = function()
  return held(take()) == take()
end

-- The field must be absent.
operations['~'] = function()
  return not held(take())
end

-- Set: field, value, deadline or nothing.
operations['s'] = function()
  local name, value, ends = take(), take(), take()
  put(name, value)
  if ends ~= '' and (not soonest or tonumber(ends) < tonumber(soonest)) then
    soonest = ends
  end
end

-- Remove: field.
operations['r'] = function()
  put(take(), false)
end

-- Add: field, difference, least, greatest, what comes before the value.
operations['+'] = function()
  local name, by, least, greatest, flags = take(), take(), take(), take(), take()
  local a, a_negative = counter(name)
  local b, b_negative = integer(by)
  local digits, negative
  if #a < 16 and #b < 16 then
    local sum = (a_negative and -a or a) + (b_negative and -b or b)
    digits, negative = string.format('%.0f', math.abs(sum)), sum < 0
  else
    digits, negative = add(a, a_negative, b, b_negative)
  end
  local low_digits, low_negative = integer(least)
  local high_digits, high_negative = integer(greatest)
  if less(digits, negative, low_digits, low_negative) then
    digits, negative = low_digits, low_negative
  elseif less(high_digits, high_negative, digits, negative) then
    digits, negative = high_digits, high_negative
  end
  put(name, flags .. (negative and '-' or '') .. digits)
end

-- Clear: whether what is carried stays.
operations['c'] = function()
  local keep_carried = take() == '1'
  retain(function(name, value)
    if not keep_carried then
      return false
    end
    local _, carried = checked(name, value)
    return carried
  end)
end

local function apply()
  if soonest and now >= tonumber(soonest) then
    retain(function(name, value)
      local _, _, ends = checked(name, value)
      return not (ends and now >= tonumber(ends))
    end)
  end
  while position < #ARGV do
    if operations[take()]() == false then
      return false
    end
  end
  if whole then
    soonest = false
    for name, value in pairs(work) do
      local ends
      if value and not is_header(name) then
        _, _, ends = checked(name, value)
      end
      if ends and (not soonest or tonumber(ends) < tonumber(soonest)) then
        soonest = ends
      end
    end
  end
  return true
end

local finished, outcome = pcall(apply)
if not finished then
  if type(outcome) == 'table' and outcome.corrupt then
    return { 'corrupt', outcome.corrupt }
  end
  error(outcome)
end
if not outcome then
  return { 'conflict', redis.call('HGETALL', key) }
end

local before = packed
packed = struct.pack(HEADER, 1, generation, high, low, authenticated, seen, idle, absolute, ttl) .. secret
if packed ~= before then
  put('@', packed)
end
if soonest ~= stored[3] then
  put('@ttl', soonest)
end

-- From here on nothing can fail but the first write, which Redis refuses when it is out of memory. HDEL would pass then
-- and let the rest pass after it, so it comes second.
local names = {}
values = {}
for name in pairs(written) do
  if work[name] then
    values[#values + 1] = name
    values[#values + 1] = work[name]
  else
    names[#names + 1] = name
  end
end

-- Lua passes a few thousand arguments at most.
local function write(command, list)
  for i = 1, #list, 1000 do
    redis.call(command, key, unpack(list, i, math.min(i + 999, #list)))
  end
end

write('HSET', values)
write('HDEL', names)
expire()
if generation ~= tonumber(ARGV[2]) then
  -- Whoever watches the session looks at it again. A server that does not let us tell them is no reason to fail.
  redis.pcall('PUBLISH', key:sub(1, -23) .. '@ended', key:sub(-22))
end
return { 'committed', packed }

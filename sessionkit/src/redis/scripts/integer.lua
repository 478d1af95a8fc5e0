-- Integers of up to 128 bits, as decimal digits and a sign: Lua's numbers are exact up to 53 bits only.
--
-- This comes between `begin.lua` and `commit.lua`.

local function integer(text)
  local sign, digits = text:match('^([+-]?)0*(%d+)$')
  if not digits or #digits > 39 then
    return nil
  end
  return digits, sign == '-' and digits ~= '0'
end

local function below(a, b)
  if #a ~= #b then
    return #a < #b
  end
  return a < b
end

local function less(a, a_negative, b, b_negative)
  if a_negative ~= b_negative then
    return a_negative
  elseif a_negative then
    return below(b, a)
  end
  return below(a, b)
end

-- The digits of a + sign * b, which must not be negative.
local function combine(a, b, sign)
  local length = math.max(#a, #b) + 1
  a, b = ('0'):rep(length - #a) .. a, ('0'):rep(length - #b) .. b
  local digits, carry = {}, 0
  for i = length, 1, -1 do
    local sum = a:byte(i) - 48 + sign * (b:byte(i) - 48) + carry
    carry = math.floor(sum / 10)
    digits[i] = sum - carry * 10
  end
  return (table.concat(digits):match('^0*(%d+)$'))
end

local function add(a, a_negative, b, b_negative)
  if a_negative == b_negative then
    return combine(a, b, 1), a_negative
  end
  if below(a, b) then
    a, a_negative, b = b, b_negative, a
  end
  local digits = combine(a, b, -1)
  return digits, a_negative and digits ~= '0'
end


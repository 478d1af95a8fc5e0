-- Removes an entry if it has the generation that is held, which stands in its bytes 9 to 12, or is too short to have any.
-- KEYS: the entry. ARGV: the generation.
-- Returns how many entries it removed, or else the entry that is there.
local held = redis.pcall('GETRANGE', KEYS[1], 9, 12)
if type(held) == 'table' and held.err and string.sub(held.err, 1, 9) ~= 'WRONGTYPE' then
  return held
end
if type(held) == 'string' and #held == 4 and held ~= ARGV[1] then
  return redis.call('GET', KEYS[1])
end
return redis.call('UNLINK', KEYS[1])

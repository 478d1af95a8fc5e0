-- Removes an entry if it has the generation that is held, which stands in its bytes 9 to 12, or is too short to have any,
-- for a caller that waits for replicas.
-- KEYS: the entry. ARGV: the generation.
-- Returns how many entries it removed, or else the entry that is there.
local held = redis.pcall('GETRANGE', KEYS[1], 9, 12)
if type(held) == 'table' and held.err and string.sub(held.err, 1, 9) ~= 'WRONGTYPE' then
  return held
end
-- WAIT waits for what this connection wrote last. What is there, or is not, may be the work of another one.
if type(held) == 'string' and #held == 4 and held ~= ARGV[1] then
  local found = redis.call('GET', KEYS[1])
  redis.call('SET', KEYS[1], found, 'KEEPTTL')
  return found
end
local removed = redis.call('UNLINK', KEYS[1])
if removed == 0 then
  redis.call('SET', KEYS[1], '', 'PX', 1)
  redis.call('UNLINK', KEYS[1])
end
return removed

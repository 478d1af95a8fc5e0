-- Replaces an entry if it has the revision that is held, which stands in its bytes 1 to 8. Under eight zeros, which no whole
-- entry has, replaces one that is too short to have any, and what is no string.
-- KEYS: the entry. ARGV: the revision, the new bytes, after how many milliseconds they may be forgotten.
-- Returns 1 if it did, or else the entry that is there, or nothing.
local found = redis.pcall('GETRANGE', KEYS[1], 1, 8)
if found ~= ARGV[1] then
  if ARGV[1] ~= string.rep('\0', 8) then
    return redis.call('GET', KEYS[1])
  end
  if type(found) == 'string' then
    local entry = redis.call('GET', KEYS[1])
    if not entry or #entry > 8 then
      return entry
    end
  elseif string.sub(found.err, 1, 9) ~= 'WRONGTYPE' then
    return found
  end
end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return 1

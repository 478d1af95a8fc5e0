-- Replaces an entry as `replace.lua` does, for a caller that waits for replicas.
-- KEYS: the entry. ARGV: the revision, the new bytes, after how many milliseconds they may be forgotten.
-- Returns 1 if it did, or else the entry that is there, or nothing.
local found = redis.pcall('GETRANGE', KEYS[1], 1, 8)
local replaces = found == ARGV[1]
if not replaces and ARGV[1] == string.rep('\0', 8) then
  if type(found) == 'string' then
    local entry = redis.call('GET', KEYS[1])
    replaces = entry and #entry <= 8
  elseif string.sub(found.err, 1, 9) == 'WRONGTYPE' then
    replaces = true
  else
    return found
  end
end
if replaces then
  redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
  return 1
end
local entry = redis.call('GET', KEYS[1])
-- WAIT waits for what this connection wrote last. What is there, or is not, may be the work of another one.
if entry then
  redis.call('SET', KEYS[1], entry, 'KEEPTTL')
else
  redis.call('SET', KEYS[1], '', 'PX', 1)
  redis.call('UNLINK', KEYS[1])
end
return entry

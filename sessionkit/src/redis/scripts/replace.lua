-- Replaces an entry if it has the revision that is held, which stands in its bytes 1 to 8.
-- KEYS: the entry. ARGV: the revision, the new bytes, after how many milliseconds they may be forgotten.
-- Returns 1 if it did, or else the entry that is there, or nothing.
if redis.call('GETRANGE', KEYS[1], 1, 8) == ARGV[1] then
  redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
  return 1
end
return redis.call('GET', KEYS[1])

-- Inserts an entry if there is none, for a caller that waits for replicas.
-- KEYS: the entry. ARGV: the bytes, after how many milliseconds they may be forgotten.
-- Returns 1 if it did, or else 0.
if redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then
  return 1
end
-- WAIT waits for what this connection wrote last. What is there may have been written over another one.
redis.call('SET', KEYS[1], redis.call('GET', KEYS[1]), 'KEEPTTL')
return 0

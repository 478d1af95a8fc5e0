-- Ends a session, and tells those who watch it.
--
-- KEYS[1]  the session's hash
--
-- Replies 1, or 0 if there was none.

local key = KEYS[1]
local removed = redis.call('UNLINK', key)
-- See `commit.lua`.
redis.pcall('PUBLISH', key:sub(1, -23) .. '@ended', key:sub(-22))
return removed

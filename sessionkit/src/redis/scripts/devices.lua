-- Changes the entries of one user: all that a call changes, or nothing.
--
-- KEYS[1]  the user's hash: for each session its id, and its state (b, c or e), its place in the order, when it was
--          registered and its deadline. Nothing else, so that the server forgets the key with its last entry
-- ARGV     now, then `register`, id, deadline, how many there may be or nothing, 1 if the oldest make room, and the
--          state of a new entry; or `confirm`, id, ids to remove; or `end`, `all`, `others` or `one`, id; or `prune`,
--          then id, state, when it was registered and its deadline of each that goes if it is still like this
--
-- Replies { 'entered', id, .. }, { 'full' }, { 'ended' }, { 'confirmed' }, { 'lost' }, { 'pruned' } or
-- { 'corrupt', field }. What `end` ended is what was `entered` before.

local key, now, operation = KEYS[1], tonumber(ARGV[1]), ARGV[2]
-- Redis may forget the entries this many seconds after the last deadline.
local SLACK = 60
-- No session lives longer than this, and Redis takes no time that is much longer.
local LONGEST = 4294967294

local stored = redis.pcall('HGETALL', key)
if stored.err then
  if stored.err:find('WRONGTYPE', 1, true) then
    return { 'corrupt', key }
  end
  return stored
end

local entries, known, over, last = {}, {}, {}, 0
for i = 1, #stored, 2 do
  local id, value = stored[i], stored[i + 1]
  local state, place, registered, ends = value:match('^([bce])(%d+) (%d+) (%d+)$')
  if not state then
    return { 'corrupt', id }
  end
  if now >= tonumber(ends) then
    over[#over + 1] = id
  else
    local entry = { id = id, state = state, place = tonumber(place), registered = registered, ends = ends }
    entries[#entries + 1] = entry
    known[id] = entry
    last = math.max(last, entry.place)
  end
end
table.sort(entries, function(a, b)
  return a.place < b.place
end)

local changed = {}
local function put(entry, state)
  entry.state = state
  changed[entry.id] = entry
end

local function write()
  local values, ends = {}, 0
  for id, entry in pairs(changed) do
    values[#values + 1] = id
    values[#values + 1] = ('%s%.0f %s %s'):format(entry.state, entry.place, entry.registered, entry.ends)
  end
  for i = 1, #values, 1000 do
    redis.call('HSET', key, unpack(values, i, math.min(i + 999, #values)))
  end
  for i = 1, #over, 1000 do
    redis.call('HDEL', key, unpack(over, i, math.min(i + 999, #over)))
  end
  for _, entry in pairs(known) do
    ends = math.max(ends, tonumber(entry.ends))
  end
  redis.call('EXPIRE', key, ('%.0f'):format(math.min(math.max(ends - now, 0), LONGEST) + SLACK))
end

local function ended(reply, is_meant)
  for _, entry in ipairs(entries) do
    if entry.state == 'e' and is_meant(entry.id) then
      reply[#reply + 1] = entry.id
    end
  end
  return reply
end

local function all()
  return true
end

if operation == 'register' then
  local id, ends, most, evict = ARGV[3], ARGV[4], tonumber(ARGV[5]), ARGV[6] == '1'
  local entry = known[id]
  if entry and entry.state == 'e' then
    return { 'ended' }
  end
  local others = {}
  for _, other in ipairs(entries) do
    if other.id ~= id and other.state ~= 'e' then
      others[#others + 1] = other
    end
  end
  local surplus = most and #others + 1 - most or 0
  if surplus > 0 and not entry and not evict then
    return { 'full' }
  end
  if evict then
    for i = 1, surplus do
      put(others[i], 'e')
    end
  end
  entry = entry or { id = id, state = ARGV[7], ends = ends }
  entry.place, entry.registered = last + 1, ('%.0f'):format(now)
  if tonumber(ends) > tonumber(entry.ends) then
    entry.ends = ends
  end
  known[id] = entry
  put(entry, entry.state)
  write()
  return ended({ 'entered' }, all)
end

if operation == 'confirm' then
  for i = 4, #ARGV do
    local entry = known[ARGV[i]]
    if entry and entry.state == 'e' then
      over[#over + 1] = entry.id
      known[entry.id] = nil
    end
  end
  local entry = known[ARGV[3]]
  local there = entry and entry.state ~= 'e'
  if there then
    put(entry, 'c')
  end
  if there or #over > 0 then
    write()
  end
  return { there and 'confirmed' or 'lost' }
end

if operation == 'prune' then
  for i = 3, #ARGV, 4 do
    local entry = known[ARGV[i]]
    local seen = entry and entry.state == ARGV[i + 1] and entry.registered == ARGV[i + 2]
    if seen and entry.ends == ARGV[i + 3] then
      redis.call('HDEL', key, entry.id)
    end
  end
  return { 'pruned' }
end

local which, id = ARGV[3], ARGV[4]
local function is_meant(other)
  return which == 'all' or (which == 'one') == (other == id)
end
for _, entry in ipairs(entries) do
  if is_meant(entry.id) then
    put(entry, 'e')
  end
end
if next(changed) then
  write()
end
return ended({ 'entered' }, is_meant)

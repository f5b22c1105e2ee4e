-- Takes a job in. ARGV: 6 id, 7 key ('' without), 8 what the key may hold (''), 9 what the key will hold, 10 lane, 11 its name,
-- 12 score, 13 state's index, 14 counter, 15 event, 16 how many may wait, 17 the counter of the others that wait, 18.. fields and values.
local id, key = ARGV[6], ARGV[7]
local job = P .. 'job:' .. id
local before = redis.call('HGET', job, 'arrival')
-- The caller's own, whose answer was lost.
if before then return {'ok', now, before} end
if key ~= '' then
  local used = redis.call('HGET', P .. 'keys', key)
  if used and used ~= ARGV[8] then return {'used', now, used} end
end
local counts = redis.call('HMGET', P .. 'counts', ARGV[14], ARGV[17])
local waiting = (tonumber(counts[1]) or 0) + (tonumber(counts[2]) or 0)
if waiting >= tonumber(ARGV[16]) then return {'crowded', now, waiting} end

local arrival = redis.call('INCR', P .. 'arrival')
redis.call('HSET', job, 'arrival', arrival, unpack(ARGV, 18))
redis.call('RPUSH', P .. 'events:' .. id, ARGV[15])
redis.call('ZADD', P .. ARGV[13], arrival, id)
redis.call('ZADD', P .. 'lane:' .. ARGV[10], ARGV[12], string.format('%016d:%s', arrival, id))
redis.call('HINCRBY', P .. 'counts', ARGV[14], 1)
know_lane(ARGV[10], ARGV[11])
if key ~= '' then
  redis.call('HSET', P .. 'keys', key, ARGV[9])
  redis.call('ZADD', P .. 'keys:age', now, key)
end
redis.call('PUBLISH', P .. 'news', ARGV[5])
return {'ok', now, arrival}

#!lua flags=allow-oom
-- Opens the store: gives its epoch and its moment, and makes it ours when it is new.
-- KEYS[1] clock. ARGV: 1 prefix, 2 a new epoch, 3 the format that the caller reads, 4 '1' when those who
-- had another store open may go on with this one.
local known = redis.call('HMGET', KEYS[1], 'epoch', 'format', 'last', 'skew')
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000) + tonumber(known[4] or 0)
if ARGV[4] == '1' and (known[2] or ARGV[3]) == ARGV[3] then redis.call('HSET', KEYS[1], 'accepted', '1') end
if not known[1] then
  redis.call('HSET', KEYS[1], 'epoch', ARGV[2], 'format', ARGV[3], 'last', now, 'skew', 0)
  return {'new', now, ARGV[2], ARGV[3]}
end
return {'ok', math.max(now, tonumber(known[3] or 0)), known[1], known[2] or ''}

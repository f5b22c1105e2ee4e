-- Forgets lanes that are empty, and idempotency keys that still hold what the caller read. ARGV: 6 number of lanes, then the lanes,
-- then pairs of a key and what it held.
local lanes, forgotten = tonumber(ARGV[6]), ''
for at = 7, 6 + lanes do
  if redis.call('EXISTS', P .. 'lane:' .. ARGV[at]) == 0 then
    if redis.call('HDEL', P .. 'lanes', ARGV[at]) == 1 then forgotten = forgotten .. '-' .. ARGV[at] end
  end
end
if forgotten ~= '' then lanes_changed(forgotten) end
for at = 7 + lanes, #ARGV, 2 do
  local held = redis.call('HGET', P .. 'keys', ARGV[at])
  if not held or held == ARGV[at + 1] then
    redis.call('HDEL', P .. 'keys', ARGV[at])
    redis.call('ZREM', P .. 'keys:age', ARGV[at])
  end
end
return {'ok', now}

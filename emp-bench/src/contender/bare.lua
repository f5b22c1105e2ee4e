-- Finishes what has ended and claims for the free slots. KEYS[1] the queue. ARGV: worker, until when, how many, ids that have ended.
for at = 4, #ARGV do
  local job = 'bare:job:' .. ARGV[at]
  redis.call('HSET', job, 'state', 'done')
  redis.call('EXPIRE', job, 86400)
  redis.call('ZREM', 'bare:active', ARGV[at])
end
local out, heads = {}, redis.call('ZPOPMIN', KEYS[1], ARGV[3])
for at = 1, #heads, 2 do
  local id = heads[at]
  local job = 'bare:job:' .. id
  redis.call('HSET', job, 'state', 'active', 'worker', ARGV[1])
  redis.call('ZADD', 'bare:active', ARGV[2], id)
  out[#out + 1] = id
  out[#out + 1] = redis.call('HGET', job, 'payload')
end
return out

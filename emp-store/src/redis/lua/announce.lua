-- Says that a worker is alive. ARGV: 6 its id, 7 its record.
redis.call('HSET', P .. 'workers', ARGV[6], ARGV[7])
redis.call('ZADD', P .. 'workers:seen', ARGV[2], ARGV[6])
return {'ok', now}

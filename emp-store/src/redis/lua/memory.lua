#!lua flags=no-writes,allow-oom
-- What the server says of its memory. KEYS[1] clock: says which server in a cluster.
return redis.call('INFO', 'memory')

#!lua flags=no-writes,allow-oom
-- Jobs of some states by arrival, newest first: in one step, or a job that changes its state meanwhile is in none of them.
-- KEYS[1] clock. ARGV: 1 prefix, 2 before which arrival, 3 how many of each, then the indexes.
local found = {}
for at = 4, #ARGV do
  found[#found + 1] =
    redis.call('ZRANGE', ARGV[1] .. ARGV[at], ARGV[2], '-inf', 'BYSCORE', 'REV', 'LIMIT', 0, ARGV[3], 'WITHSCORES')
end
return found

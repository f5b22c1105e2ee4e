#!lua flags=allow-oom
-- Writes something after everything that was written of a job, so that whoever has it has that too. KEYS[1] clock. ARGV: 1 prefix, 2 job.
-- The answer: 1 when there is such a job.
if redis.call('EXISTS', ARGV[1] .. 'job:' .. ARGV[2]) == 0 then return 0 end
redis.call('HINCRBY', KEYS[1], 'marks', 1)
return 1

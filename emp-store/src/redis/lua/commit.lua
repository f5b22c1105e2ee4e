-- Replaces jobs that are still as the caller read them, each for itself. ARGV: 6 most events of a job, then for each job:
--   id, expected rev, number of fields and values, of fields to remove, of events, of texts, '1' when the texts replace those before,
--   number of moves, counter to take from, counter to add to, lane that it goes to, its name, then all of those;
--   a move is four: 'ZADD' or 'ZREM', index, score, member.
-- Instead of a rev: '-' when there must be no such job, '*' when it cannot be read. -1 fields: the job is removed with all its keys.
-- The answers: 1 done, 0 it is another rev, -1 there is no such job, -2 the key holds something else.
local add, remove, counters, lanes, news, answers = {}, {}, {}, {}, false, {'ok', now}

local function gather(sets, name, ...)
  local list = sets[name]
  if not list then
    list = {}
    sets[name] = list
  end
  for _, item in ipairs({...}) do list[#list + 1] = item end
end

local function check(key, expected)
  if expected == '*' then return 1 end
  local rev = redis.pcall('HGET', key, 'rev')
  if type(rev) == 'table' then return -2 end
  if not rev then return expected == '-' and 1 or -1 end
  return rev == expected and 1 or 0
end

local at = 7
while at <= #ARGV do
  local id, fields, gone, events, texts, moves =
    ARGV[at], tonumber(ARGV[at + 2]), tonumber(ARGV[at + 3]), tonumber(ARGV[at + 4]), tonumber(ARGV[at + 5]), tonumber(ARGV[at + 7])
  local from = at + 12
  local key = P .. 'job:' .. id
  local answer = check(key, ARGV[at + 1])
  answers[#answers + 1] = answer
  if answer == 1 then
    if fields == -1 then
      redis.call('DEL', key, P .. 'events:' .. id, P .. 'texts:' .. id)
    elseif fields > 0 then
      redis.call('HSET', key, unpack(ARGV, from, from + fields - 1))
    end
    from = from + math.max(fields, 0)
    if gone > 0 then redis.call('HDEL', key, unpack(ARGV, from, from + gone - 1)) end
    from = from + gone
    if events > 0 then
      news = true
      -- Something foreign under the key of the events costs these, and not the half of a commit.
      local kept = redis.pcall('RPUSH', P .. 'events:' .. id, unpack(ARGV, from, from + events - 1))
      if type(kept) == 'number' and kept > tonumber(ARGV[6]) then
        redis.call('LTRIM', P .. 'events:' .. id, -tonumber(ARGV[6]), -1)
      end
    end
    from = from + events
    if texts > 0 then
      news = true
      if ARGV[at + 6] == '1' then redis.call('DEL', P .. 'texts:' .. id) end
      redis.pcall('RPUSH', P .. 'texts:' .. id, unpack(ARGV, from, from + texts - 1))
    end
    from = from + texts
    for move = from, from + 4 * moves - 1, 4 do
      if ARGV[move] == 'ZADD' then
        gather(add, ARGV[move + 1], ARGV[move + 2], ARGV[move + 3])
      else
        gather(remove, ARGV[move + 1], ARGV[move + 3])
      end
    end
    if ARGV[at + 8] ~= '' then counters[ARGV[at + 8]] = (counters[ARGV[at + 8]] or 0) - 1 end
    if ARGV[at + 9] ~= '' then counters[ARGV[at + 9]] = (counters[ARGV[at + 9]] or 0) + 1 end
    if ARGV[at + 10] ~= '' then lanes[ARGV[at + 10]] = ARGV[at + 11] end
  end
  at = at + 12 + math.max(fields, 0) + gone + events + texts + 4 * moves
end

for name, members in pairs(remove) do redis.call('ZREM', P .. name, unpack(members)) end
for name, members in pairs(add) do redis.call('ZADD', P .. name, unpack(members)) end
for id, name in pairs(lanes) do know_lane(id, name) end
for name, change in pairs(counters) do
  if change ~= 0 and redis.call('HINCRBY', P .. 'counts', name, change) <= 0 then redis.call('HDEL', P .. 'counts', name) end
end
if news then redis.call('PUBLISH', P .. 'news', ARGV[5]) end
return answers

-- Takes the best jobs out of some lanes and keeps them for the caller until a moment: long enough to claim them, short enough to be
-- missed by nobody. ARGV: 6 version of the lanes that the caller knows, 7 '1' to be told when waiting jobs are due first, 8 until when,
-- 9 how many in all, 10 number of services, then the room of each, then pairs of a lane and the number of its service.
if (redis.call('GET', P .. 'lanes:version') or '0') ~= ARGV[6] then return {'lanes', now} end
if ARGV[7] == '1' and #redis.call('ZRANGE', P .. 'due', '-inf', now, 'BYSCORE', 'LIMIT', 0, 1) > 0 then
  return {'due', now}
end

local left, services, rooms, lanes = tonumber(ARGV[9]), tonumber(ARGV[10]), {}, {}
for service = 1, services do rooms[service] = tonumber(ARGV[10 + service]) end

-- The jobs of a lane from a place on, a few at a time.
local function refill(lane, count)
  lane.heads = redis.call('ZRANGE', lane.key, lane.read, lane.read + count - 1, 'WITHSCORES')
  lane.at, lane.read = 1, lane.read + #lane.heads / 2
  return #lane.heads > 0
end

for at = 11 + services, #ARGV, 2 do
  local lane = {key = P .. 'lane:' .. ARGV[at], service = tonumber(ARGV[at + 1]), read = 0, members = {}}
  if refill(lane, at + 2 > #ARGV and at == 11 + services and math.max(left, 1) or 1) then lanes[#lanes + 1] = lane end
end

local function before(one, other)
  local mine, theirs = tonumber(one.heads[one.at + 1]), tonumber(other.heads[other.at + 1])
  if mine ~= theirs then return mine < theirs end
  return one.heads[one.at] < other.heads[other.at]
end

local taken = {}
while left > 0 do
  local best
  for _, lane in ipairs(lanes) do
    if lane.heads[lane.at] and rooms[lane.service] > 0 and (not best or before(lane, best)) then best = lane end
  end
  if not best then break end
  best.members[#best.members + 1] = best.heads[best.at]
  taken[#taken + 1] = best.heads[best.at]:sub(18)
  left, rooms[best.service], best.at = left - 1, rooms[best.service] - 1, best.at + 2
  if not best.heads[best.at] then refill(best, math.max(1, math.min(left, rooms[best.service], 64))) end
end

local out, kept = {'ok', now}, {}
for _, id in ipairs(taken) do
  local job = redis.pcall('HMGET', P .. 'job:' .. id, 'rec', 'rev', 'arrival', 'until', 'text', 'payload')
  out[#out + 1] = id
  out[#out + 1] = not job.err and job
  kept[#kept + 1] = ARGV[8]
  kept[#kept + 1] = id
end
for _, lane in ipairs(lanes) do
  if #lane.members > 0 then redis.call('ZREM', lane.key, unpack(lane.members)) end
end
if #kept > 0 then redis.call('ZADD', P .. 'leases', unpack(kept)) end
return out

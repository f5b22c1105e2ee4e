-- What every script begins with. ARGV: 1 prefix of all keys, 2 the caller's moment, 3 how far that may be off (negative: it is the
-- truth, in tests), 4 the epoch of the store that the caller has opened, 5 the caller's own name. KEYS[1] is the clock.
--
-- Lua is isolated, not transactional: a script reads and checks everything first, and writes after that.
local P = ARGV[1]

-- The store's moment never runs backwards, also when the server's clock does or another server takes over: what was lost is added
-- from then on, for everybody.
local function moment()
  if tonumber(ARGV[3]) < 0 then return tonumber(ARGV[2]), redis.call('HGET', KEYS[1], 'epoch') end
  local time = redis.call('TIME')
  local known = redis.call('HMGET', KEYS[1], 'last', 'skew', 'epoch')
  local last, skew = tonumber(known[1] or 0), tonumber(known[2] or 0)
  local now = time[1] * 1000 + math.floor(time[2] / 1000) + skew
  if now < last then
    redis.call('HSET', KEYS[1], 'skew', skew + last - now)
    now = last
  elseif now >= last + 1000 and known[3] then
    redis.call('HSET', KEYS[1], 'last', now)
  end
  return now, known[3]
end

-- Decisions are made for a moment. One that is not now has to be made again; one for another store must not be made.
local now, epoch = moment()
if epoch ~= ARGV[4] then return {'reset', now, epoch, redis.call('HGET', KEYS[1], 'accepted')} end
if tonumber(ARGV[3]) >= 0 and math.abs(now - tonumber(ARGV[2])) > tonumber(ARGV[3]) then return {'late', now} end

-- Lanes are known by name, and all of them by a version that workers compare. It follows from the one before and the change, so that
-- after a failover that lost the last changes no other lanes have the version of those that were lost.
local function lanes_changed(how)
  local before = redis.call('GET', P .. 'lanes:version') or ''
  redis.call('SET', P .. 'lanes:version', redis.sha1hex(before .. how))
end
local function know_lane(id, name)
  if redis.call('HSETNX', P .. 'lanes', id, name) == 1 then lanes_changed('+' .. id) end
end

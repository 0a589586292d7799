#!lua
-- Let the leases expire that earlier incarnations of a name still hold; return how many.

local count = 0
for _, member in ipairs(redis.call("SMEMBERS", key("named", call.name))) do
  -- A run id may hold a line break; a place, being JSON, holds none.
  local run, place = string.match(member, "^(.*)\n(.*)$")
  local lease = lease_at(run, place)
  local alarm = "lease:" .. place
  local ends = redis.call("ZSCORE", key("alarms", run), alarm)
  if lease.incarnation ~= call.incarnation and tonumber(ends) > tonumber(call.now) then
    redis.call("ZADD", key("alarms", run), call.now, alarm)
    refresh(run, read(run))
    count = count + 1
  end
end
return count

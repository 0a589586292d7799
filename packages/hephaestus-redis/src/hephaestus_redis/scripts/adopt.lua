#!lua
-- Let the leases expire that earlier incarnations of a name still hold; return how many.

local count = 0
for _, member in ipairs(redis.call("SMEMBERS", key("named", call.name))) do
  -- A run id may hold a line break; a place, being JSON, holds none.
  local run, place = string.match(member, "^(.*)\n(.*)$")
  local lease, row = lease_at(run, place), read(run)
  if not lease or not row then
    -- Somebody else has deleted or evicted it.
    redis.call("SREM", key("named", call.name), member)
  elseif not row.is_finished and lease.incarnation ~= call.incarnation then
    local alarm = "lease:" .. place
    local ends = redis.call("ZSCORE", key("alarms", run), alarm)
    if tonumber(ends) > tonumber(call.now) then
      redis.call("ZADD", key("alarms", run), call.now, alarm)
      refresh(run, row)
      count = count + 1
    end
  end
end
return count

#!lua
-- Let the leases expire that earlier incarnations of a name still hold; return how many.

local count = 0
for _, member in ipairs(redis.call("SMEMBERS", key("named", call.name))) do
  -- A run id may hold a line break; a place, being JSON, holds none.
  local run, place = string.match(member, "^(.*)\n(.*)$")
  local row = read_once(run)
  local lease = row and leases_of(row)[place]
  if not lease then
    -- Somebody else has deleted or evicted it.
    redis.call("SREM", key("named", call.name), member)
  elseif
    not row.is_finished and lease.incarnation ~= call.incarnation
    and tonumber(lease["until"]) > tonumber(call.now)
  then
    lease["until"], row.is_changed = call.now, true
    count = count + 1
  end
end
store_changed()
return count

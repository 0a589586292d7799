#!lua
-- Extend the leases that are still held; return the places, in the call, of those that are not.

local lost = {}
for n, claimed in ipairs(call.leases) do
  local run = claimed.run_id
  if held(claimed, call.now) then
    -- GT: a renewal that arrives late shortens none.
    redis.call("ZADD", key("alarms", run), "GT", call["until"], "lease:" .. claimed.place)
    refresh(run, read(run))
  else
    lost[#lost + 1] = n
  end
end
return lost

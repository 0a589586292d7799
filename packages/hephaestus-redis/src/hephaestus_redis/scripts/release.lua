#!lua flags=allow-oom
-- Give leases back that are still held, and end the hand-over of their runs.

for _, claimed in ipairs(call.leases) do
  local run, place = claimed.run_id, claimed.place
  local lease = held(claimed, call.now)
  if lease then
    local name = key("leases", run)
    local stored = redis.call("HGET", name, place)
    redis.call("HSET", name, place, "r" .. string.sub(stored, 2))
    redis.call("ZADD", key("alarms", run), call.now, "lease:" .. place)
    forget_holder(run, place, lease)
    redis.call("HDEL", key("run", run), "handed")
    refresh(run, read(run))
  end
end
return 0

#!lua flags=allow-oom
-- Take a message back, and move its run to the next revision.

local run = redis.call("HGET", prefix .. "messages", call.id)
local head = run and head_of(run, call.id)
if not head then
  return 0
end
take(run, call.id, head)
redis.call("HINCRBY", key("run", run), "revision", 1)
refresh(run, read(run))
return 1

#!lua flags=allow-oom
-- Take a message back, and move its run to the next revision.

local run = redis.call("HGET", prefix .. "messages", call.id)
local head = run and head_of(run, call.id)
if not head then
  return 0
end
take(run, call.id, head)
local row = read(run)
if row then
  redis.call("HINCRBY", key("run", run), "revision", 1)
  refresh(run, row)
end
return 1

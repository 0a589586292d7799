#!lua flags=allow-oom
-- Take a message back, and move its run to the next revision.

local run = redis.call("HGET", prefix .. "messages", call.id)
if not run or not take(run, call.id) then
  return 0
end
local row = read(run)
if row then
  redis.call("HINCRBY", key("run", run), "revision", 1)
  refresh(run, row)
end
return 1

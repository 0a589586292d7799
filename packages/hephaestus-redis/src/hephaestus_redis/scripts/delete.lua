#!lua flags=allow-oom
-- Delete the run of a run id, or up to a limit of those of an id, with all that belongs to them.

if redis.call("EXISTS", key("run", call.id)) == 1 then
  remove(call.id)
  return 1
end
redis.call("UNLINK", key("history", call.id))
local members = redis.call("ZRANGE", key("id", call.id), 0, call.limit - 1)
for _, member in ipairs(members) do
  remove(run_of(member))
  redis.call("ZREM", key("id", call.id), member)
end
return #members

#!lua flags=allow-oom
-- Delete the run of a run id, or up to a limit of those of an id, with all that belongs to them.

local runs = {call.id}
if redis.call("EXISTS", key("run", call.id)) == 0 then
  runs = {}
  for n, member in ipairs(redis.call("ZRANGE", key("id", call.id), 0, call.limit - 1)) do
    runs[n] = run_of(member)
  end
end
for _, run in ipairs(runs) do
  remove(run)
end
redis.call("UNLINK", key("history", call.id))
return #runs

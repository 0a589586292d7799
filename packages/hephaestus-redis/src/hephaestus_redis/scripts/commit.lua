#!lua
-- Write a change against the revision that it was computed from, once.

local run = call.run_id
local before = read(run)
if not before then
  return {"stale"}
end
if before.revision == call.revision and before.token == call.token then
  return {"written"}
end
if before.revision ~= call.before then
  return {"stale"}
end
for _, granted in ipairs(call.granted) do
  if is_leased(before, granted.place) then
    return {"stale"}
  end
end
local holder = before.is_finished and not call.is_finished and rival(run, before.unique_key)
if holder then
  return {"taken", holder}
end

for _, id in ipairs(call.consumed) do
  local head = take(run, id)
  if head and head.place then
    -- Its attempt is over, so that another copy of the outcome changes nothing.
    redis.call("SREM", key("known", run), head.dedup_key)
  end
end
reindex(run, before, write(run, before))
return {"written"}

#!lua
-- Put a message into its run's inbox, and wake the run.

local run = call.run_id
-- No more than it takes: a wide run has much to read, and as many messages.
local row = read(run, {"status", "version", "workflow", "handed"})
if not row then
  return {"missing"}
end
if redis.call("SADD", key("known", run), call.dedup_key) == 0 then
  return {"known"}
end
local inbox = key("inbox", run)
row.sequence = redis.call("HINCRBY", key("run", run), "sequence", 1)
redis.call(
  "HSET", inbox, "message:" .. call.id,
  row.sequence .. "\n" .. call.head .. "\n" .. call.body
)
if call.place then
  redis.call("HINCRBY", inbox, "outcome:" .. call.place, 1)
end
redis.call("HSET", prefix .. "messages", call.id, run)
redis.call("ZADD", key("unseen", run), call.at, call.id)
-- A message can only make the run due sooner.
if row.status ~= "failed" then
  local at = call.at
  if row.handed and tonumber(row.handed) > tonumber(at) then
    at = row.handed
  end
  redis.call("ZADD", due_index(row), "LT", at, run)
end
return {"posted"}

#!lua
-- Write a run as the new truth. Of one that is stored, the version, the time of creation and the
-- messages stay; its leases and its hand-over end.

local KEPT = {version = true, created = true, revision = true, sequence = true}

local run = call.run_id
local name = key("run", run)
local holder = not call.is_finished and rival(run, call.unique_key)
if holder then
  return {"taken", holder}
end

local stored = read(run)
if stored then
  unindex(run, stored)
  for place, lease in pairs(leases_of(stored)) do
    forget_holder(run, place, lease)
  end
  for _, field in ipairs(redis.call("HKEYS", name)) do
    if not KEPT[field] then
      redis.call("HDEL", name, field)
    end
  end
  redis.call("HINCRBY", name, "revision", 1)
else
  redis.call(
    "HSET", name, "version", call.version, "created", call.created, "revision", call.revision
  )
end

set(name, call.fields)
local created = redis.call("HGET", name, "created")
redis.call("HSETNX", name, "updated", created)
if call.is_finished then
  redis.call("HSETNX", name, "finished", created)
end
record(run, call.entries)
index(run, read(run))
return {"written"}

#!lua
-- Insert a run, unless it is there or its key is taken.

local run = call.run_id
if redis.call("EXISTS", key("run", run)) == 1 then
  return {"written"}
end
local holder = not call.is_finished and rival(run, call.unique_key)
if holder then
  return {"taken", holder}
end
index(run, write(run, {}))
return {"written"}

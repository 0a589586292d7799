#!lua
-- Take a lease of a ready step that nobody executes, and return fields of its run.

local run, place = call.run_id, call.granted.place
local row = read(run)
if
  not row or row.is_finished or not row.ready
  or not string.find(row.ready, "\n" .. place .. "\n", 1, true)
  or is_leased(row, place)
  or row.sequence and redis.call("HEXISTS", key("inbox", run), "outcome:" .. place) == 1
then
  return false
end
grant(run, row, call.granted)
store_leases(run, row)
refresh(run, row)
local values = {}
for n, field in ipairs(call.fields) do
  values[n] = redis.call("HGET", key("run", run), field)
end
return values

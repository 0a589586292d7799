#!lua flags=allow-oom
-- Give leases back that are still held, and end the hand-over of their runs.

for _, claimed in ipairs(call.leases) do
  local run = claimed.run_id
  local row = read_once(run)
  local lease = row and held(row, claimed, call.now)
  if lease then
    lease.released, lease["until"] = true, call.now
    forget_holder(run, claimed.place, lease)
    redis.call("HDEL", key("run", run), "handed")
    row.handed, row.is_changed = nil, true
  end
end
store_changed()
return 0

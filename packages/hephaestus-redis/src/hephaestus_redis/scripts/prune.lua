#!lua flags=allow-oom
-- Delete finished runs that ended before a time, up to a limit, those that ended first first.

local found = {}
for _, status in ipairs(call.statuses) do
  local members = redis.call(
    "ZRANGE", key("finished", status), "-", "(" .. call.before, "BYLEX", "LIMIT", 0, call.limit
  )
  for _, member in ipairs(members) do
    found[#found + 1] = {member = member, index = key("finished", status)}
  end
end
table.sort(found, function(one, other)
  return one.member < other.member
end)
local count = math.min(#found, call.limit)
for n = 1, count do
  remove(run_of(found[n].member))
  redis.call("ZREM", found[n].index, found[n].member)
end
return count

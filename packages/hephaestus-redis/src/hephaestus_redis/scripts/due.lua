#!lua
-- Return the runs of some workflows that need attention, longest due first, and hide them from
-- other callers for a time.

local found = {}
for _, kind in ipairs(call.kinds) do
  local name = prefix .. "due:" .. kind
  local runs = redis.call(
    "ZRANGE", name, "-inf", call.now, "BYSCORE", "LIMIT", 0, call.limit, "WITHSCORES"
  )
  for n = 1, #runs, 2 do
    found[#found + 1] = {run = runs[n], at = tonumber(runs[n + 1]), index = name}
  end
end
table.sort(found, function(one, other)
  if one.at == other.at then
    return one.run < other.run
  end
  return one.at < other.at
end)

local handed = {}
for n = 1, math.min(#found, call.limit) do
  local run = found[n].run
  if redis.call("EXISTS", key("run", run)) == 1 then
    redis.call("HSET", key("run", run), "handed", call["until"])
    redis.call("ZADD", found[n].index, call["until"], run)
    handed[#handed + 1] = run
  else
    -- Somebody else has deleted or evicted it.
    redis.call("ZREM", found[n].index, run)
  end
end
return handed

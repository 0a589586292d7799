#!lua flags=no-writes
-- Return a page of each of some indexes, as they are at one moment.

local pages = {}
for n, name in ipairs(call.indexes) do
  if call.newest then
    pages[n] = redis.call(
      "ZRANGE", name, call.high, call.low, "BYLEX", "REV", "LIMIT", 0, call.limit
    )
  else
    pages[n] = redis.call("ZRANGE", name, call.low, call.high, "BYLEX", "LIMIT", 0, call.limit)
  end
end
return pages

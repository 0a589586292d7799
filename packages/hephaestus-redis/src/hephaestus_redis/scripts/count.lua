#!lua flags=no-writes
-- Return how many members some indexes have together, as they are at one moment.

local count = 0
for _, name in ipairs(call.indexes) do
  count = count + redis.call("ZLEXCOUNT", name, call.low, call.high)
end
return count

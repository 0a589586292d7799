#!lua flags=no-writes
-- Return what the server that has the namespace says of itself.

return {
  redis.call("INFO", "persistence"),
  redis.call("INFO", "memory"),
  redis.call("TIME"),
}

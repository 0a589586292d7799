#!lua flags=no-writes
-- Return a run with its inbox and its unseen messages, as they are at one moment.

return {
  redis.call("HGETALL", key("run", call.run_id)),
  redis.call("HGETALL", key("inbox", call.run_id)),
  redis.call("ZRANGE", key("unseen", call.run_id), 0, -1, "WITHSCORES"),
}

-- What every script knows: how a run lies in its keys, and how its parts go together.
--
-- KEYS[1] is what all keys begin with; the hash tag in it keeps them in one slot. ARGV[1] is the
-- call, as MessagePack. Times to compare are whole microseconds, written out: a number of Lua's
-- holds them, but does not print them. What else a run holds is opaque here.

local prefix = KEYS[1]
local call = cmsgpack.unpack(ARGV[1])

local COLUMNS = {
  "id", "workflow", "version", "created", "status", "revision", "token", "unique_key",
  "finished", "wake", "handed", "ready",
}
local TERMINAL = {completed = true, failed = true, cancelled = true}
local MOMENT = 18 -- characters of a time within the members of an index

local function key(kind, name)
  return prefix .. kind .. ":" .. name
end

-- Reading

local function read(run)
  local values = redis.call("HMGET", key("run", run), unpack(COLUMNS))
  if not values[1] then
    return nil
  end
  local row = {}
  for n, column in ipairs(COLUMNS) do
    row[column] = values[n]
  end
  row.is_finished = TERMINAL[row.status] == true
  return row
end

local function run_of(member)
  return string.sub(member, MOMENT + 1)
end

-- The run that keeps another one from holding a key.
local function rival(run, unique_key)
  local holder = unique_key and redis.call("HGET", prefix .. "holders", unique_key)
  return holder and holder ~= run and holder
end

-- Writing parts of a run

-- So many arguments fit onto the stack of Lua with certainty.
local CHUNK = 2000

local function set(name, fields)
  for first = 1, #fields, CHUNK do
    redis.call("HSET", name, unpack(fields, first, math.min(first + CHUNK - 1, #fields)))
  end
end

local function record(run, entries)
  local name = key("history", run)
  for n = 1, #entries, 2 do
    local line = redis.call("HLEN", name) .. ":" .. entries[n + 1]
    redis.call("HSETNX", name, entries[n], line)
  end
end

-- The inbox: messages, and which attempts have an outcome among them

-- Take a message out and return its head. It is three lines: its sequence, its head, and its
-- body, which is opaque.
local function take(run, id)
  local name = key("inbox", run)
  local stored = redis.call("HGET", name, "message:" .. id)
  if not stored then
    return nil
  end
  local head = cjson.decode(string.match(stored, "^%d+\n([^\n]*)\n"))
  redis.call("HDEL", name, "message:" .. id)
  if head.place and redis.call("HINCRBY", name, "outcome:" .. head.place, -1) == 0 then
    redis.call("HDEL", name, "outcome:" .. head.place)
  end
  redis.call("HDEL", prefix .. "messages", id)
  redis.call("ZREM", key("alarms", run), "message:" .. id)
  return head
end

-- Leases: who holds which attempt; until when is one of the run's alarms

local function lease_at(run, place)
  local stored = redis.call("HGET", key("leases", run), place)
  if not stored then
    return nil
  end
  local lease = cjson.decode(string.sub(stored, 2))
  lease.is_released = string.sub(stored, 1, 1) == "r"
  return lease
end

local function is_leased(run, place)
  local stored = redis.call("HGET", key("leases", run), place)
  return stored and string.sub(stored, 1, 1) ~= "r"
end

-- A holder that bears a name is found by it when its next incarnation comes.
local function forget_holder(run, place, lease)
  if lease.name then
    redis.call("SREM", key("named", lease.name), run .. "\n" .. place)
  end
end

local function grant(run, lease)
  redis.call("HSET", key("leases", run), lease.place, "h" .. lease.holder)
  redis.call("ZADD", key("alarms", run), lease["until"], "lease:" .. lease.place)
  if lease.name then
    redis.call("SADD", key("named", lease.name), run .. "\n" .. lease.place)
  end
end

local function drop(run, place)
  local lease = lease_at(run, place)
  if lease then
    redis.call("HDEL", key("leases", run), place)
    redis.call("ZREM", key("alarms", run), "lease:" .. place)
    forget_holder(run, place, lease)
  end
end

local function drop_all(run)
  for _, place in ipairs(redis.call("HKEYS", key("leases", run))) do
    drop(run, place)
  end
end

-- The lease, if its owner has neither released nor lost it.
local function held(claimed, now)
  local lease = lease_at(claimed.run_id, claimed.place)
  if
    not lease or lease.is_released
    or lease.incarnation ~= claimed.incarnation or lease.number ~= claimed.number
  then
    return nil
  end
  local ends = redis.call("ZSCORE", key("alarms", claimed.run_id), "lease:" .. claimed.place)
  return ends and tonumber(ends) > tonumber(now) and lease
end

-- Indexes

local function due_index(row)
  return prefix .. "due:" .. row.version .. ":" .. row.workflow
end

-- When a run needs attention. One that has ended does for the messages that nobody has dropped
-- yet, and for nothing else; one that has failed keeps them for its retry.
local function attention(run, row)
  if row.status == "failed" then
    return nil
  end
  if row.is_finished then
    local alarms = redis.call("ZRANGE", key("alarms", run), 0, -1, "WITHSCORES")
    for n = 1, #alarms, 2 do
      if string.sub(alarms[n], 1, 8) == "message:" then
        return alarms[n + 1]
      end
    end
    return nil
  end
  local first = redis.call("ZRANGE", key("alarms", run), 0, 0, "WITHSCORES")[2]
  if first and (not row.wake or tonumber(first) < tonumber(row.wake)) then
    return first
  end
  return row.wake
end

-- Index a run's time of attention anew, with a hand-over that hides it.
local function refresh(run, row)
  local at = attention(run, row)
  if not at then
    redis.call("ZREM", due_index(row), run)
    return
  end
  if row.handed and tonumber(row.handed) > tonumber(at) then
    at = row.handed
  end
  redis.call("ZADD", due_index(row), at, run)
end

local function indexes(row)
  return {
    prefix .. "index::",
    prefix .. "index:" .. row.status .. ":",
    prefix .. "index::" .. row.workflow,
    prefix .. "index:" .. row.status .. ":" .. row.workflow,
  }
end

local function index(run, row)
  local member = row.created .. run
  for _, name in ipairs(indexes(row)) do
    redis.call("ZADD", name, 0, member)
  end
  redis.call("SADD", prefix .. "workflows", row.workflow)
  if row.is_finished then
    redis.call("ZADD", key("id", row.id), 0, member)
    if row.finished then
      redis.call("ZADD", key("finished", row.status), 0, row.finished .. run)
    end
  else
    redis.call("ZADD", key("id", row.id), 1, member)
    if row.unique_key then
      redis.call("HSET", prefix .. "holders", row.unique_key, run)
    end
  end
  refresh(run, row)
end

local function unindex(run, row)
  local member = row.created .. run
  for _, name in ipairs(indexes(row)) do
    redis.call("ZREM", name, member)
  end
  if redis.call("EXISTS", prefix .. "index::" .. row.workflow) == 0 then
    redis.call("SREM", prefix .. "workflows", row.workflow)
  end
  redis.call("ZREM", key("id", row.id), member)
  if row.is_finished and row.finished then
    redis.call("ZREM", key("finished", row.status), row.finished .. run)
  end
  if row.unique_key and redis.call("HGET", prefix .. "holders", row.unique_key) == run then
    redis.call("HDEL", prefix .. "holders", row.unique_key)
  end
  redis.call("ZREM", due_index(row), run)
end

-- Whole runs

-- Write what a change says, whatever was there; return the run as it is then.
local function write(run)
  local name = key("run", run)
  set(name, call.fields)
  redis.call("HDEL", name, "handed", unpack(call.absent))
  for _, id in ipairs(call.kept) do
    redis.call("ZREM", key("alarms", run), "message:" .. id)
  end
  for _, place in ipairs(call.ended) do
    drop(run, place)
  end
  for _, place in ipairs(call.freed) do
    if not is_leased(run, place) then
      drop(run, place)
    end
  end
  for _, lease in ipairs(call.granted) do
    grant(run, lease)
  end
  record(run, call.entries)
  return read(run)
end

local function remove(run)
  local row = read(run)
  if row then
    unindex(run, row)
  end
  drop_all(run)
  for _, field in ipairs(redis.call("HKEYS", key("inbox", run))) do
    local id = string.match(field, "^message:(.*)$")
    if id then
      redis.call("HDEL", prefix .. "messages", id)
    end
  end
  for _, kind in ipairs({"run", "history", "inbox", "known", "leases", "alarms"}) do
    redis.call("UNLINK", key(kind, run))
  end
end

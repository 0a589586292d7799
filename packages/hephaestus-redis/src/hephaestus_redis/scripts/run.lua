-- What every script knows: how a run lies in its keys, and how its parts go together.
--
-- KEYS[1] is what all keys begin with; the hash tag in it keeps them in one slot. ARGV[1] is the
-- call, as MessagePack. Times to compare are whole microseconds, written out: a number of Lua's
-- holds them, but does not print them. What else a run holds is opaque here.

local prefix = KEYS[1]
local call = cmsgpack.unpack(ARGV[1])

local COLUMNS = {
  "id", "workflow", "version", "created", "status", "revision", "token", "unique_key",
  "updated", "finished", "wake", "handed", "ready", "sequence", "leases",
}
local TERMINAL = {completed = true, failed = true, cancelled = true}
local MOMENT = 18 -- characters of a time within the members of an index

local function key(kind, name)
  return prefix .. kind .. ":" .. name
end

-- Reading

-- Return these columns of a run, the first of which every run has; else all.
local function read(run, columns)
  columns = columns or COLUMNS
  local values = redis.call("HMGET", key("run", run), unpack(columns))
  if not values[1] then
    return nil
  end
  local row = {}
  for n, column in ipairs(columns) do
    row[column] = values[n] or nil
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
  local count = #entries > 0 and redis.call("HLEN", name)
  for n = 1, #entries, 2 do
    count = count + redis.call("HSETNX", name, entries[n], count .. ":" .. entries[n + 1])
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
  redis.call("ZREM", key("unseen", run), id)
  return head
end

-- Leases: who holds which attempt, and until when; all of a run lie in one field of it

-- They are unpacked only where they are asked for: a wide run has many.
local function leases_of(row)
  row.held = row.held or row.leases and cmsgpack.unpack(row.leases) or {}
  return row.held
end

local function is_leased(row, place)
  local lease = leases_of(row)[place]
  return lease and not lease.released
end

-- The lease, if its owner has neither released nor lost it.
local function held(row, claimed, now)
  local lease = leases_of(row)[claimed.place]
  return lease and not lease.released
    and lease.incarnation == claimed.incarnation and lease.number == claimed.number
    and tonumber(lease["until"]) > tonumber(now) and lease
end

local function grant(run, row, granted)
  local lease = granted.lease
  leases_of(row)[granted.place] = lease
  if lease.name then
    -- A holder that bears a name is found by it when its next incarnation comes.
    redis.call("SADD", key("named", lease.name), run .. "\n" .. granted.place)
  end
end

local function forget_holder(run, place, lease)
  if lease.name then
    redis.call("SREM", key("named", lease.name), run .. "\n" .. place)
  end
end

local function drop(run, row, place)
  local lease = leases_of(row)[place]
  if lease then
    row.held[place] = nil
    forget_holder(run, place, lease)
  end
end

local function store_leases(run, row)
  redis.call("HSET", key("run", run), "leases", cmsgpack.pack(leases_of(row)))
end

-- The runs of the leases of a call, each read once, however many are its.
local rows = {}

local function read_once(run)
  if rows[run] == nil then
    rows[run] = read(run) or false
  end
  return rows[run]
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
  -- Most runs never get a message.
  local first = row.sequence
    and redis.call("ZRANGE", key("unseen", run), 0, 0, "WITHSCORES")[2] or nil
  if row.is_finished then
    return first
  end
  local function sooner(at)
    if at and (not first or tonumber(at) < tonumber(first)) then
      first = at
    end
  end
  sooner(row.wake)
  for _, lease in pairs(leases_of(row)) do
    sooner(lease["until"])
  end
  return first
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

-- Store the leases of a call that have become others.
local function store_changed()
  for run, row in pairs(rows) do
    if row and row.is_changed then
      store_leases(run, row)
      refresh(run, row)
    end
  end
end

-- What does not depend on how far a run has come.
local function list(run, row)
  local member = row.created .. run
  redis.call("ZADD", prefix .. "index::", 0, member)
  redis.call("ZADD", prefix .. "index::" .. row.workflow, 0, member)
  redis.call("SADD", prefix .. "workflows", row.workflow)
end

local function unlist(run, row)
  local member = row.created .. run
  redis.call("ZREM", prefix .. "index::", member)
  redis.call("ZREM", prefix .. "index::" .. row.workflow, member)
  if redis.call("EXISTS", prefix .. "index::" .. row.workflow) == 0 then
    redis.call("SREM", prefix .. "workflows", row.workflow)
  end
end

-- What depends on the status.
local function enter(run, row)
  local member = row.created .. run
  redis.call("ZADD", prefix .. "index:" .. row.status .. ":", 0, member)
  redis.call("ZADD", prefix .. "index:" .. row.status .. ":" .. row.workflow, 0, member)
  if row.is_finished and row.finished then
    redis.call("ZADD", key("finished", row.status), 0, row.finished .. run)
  end
end

local function leave(run, row)
  local member = row.created .. run
  redis.call("ZREM", prefix .. "index:" .. row.status .. ":", member)
  redis.call("ZREM", prefix .. "index:" .. row.status .. ":" .. row.workflow, member)
  if row.is_finished and row.finished then
    redis.call("ZREM", key("finished", row.status), row.finished .. run)
  end
end

-- What depends on whether a run has ended: its place among those of its id, and its key.
local function settle(run, row)
  redis.call("ZADD", key("id", row.id), row.is_finished and 0 or 1, row.created .. run)
  if row.unique_key and not row.is_finished then
    redis.call("HSET", prefix .. "holders", row.unique_key, run)
  end
end

local function let_go(run, row)
  if row.unique_key and redis.call("HGET", prefix .. "holders", row.unique_key) == run then
    redis.call("HDEL", prefix .. "holders", row.unique_key)
  end
end

local function index(run, row)
  list(run, row)
  enter(run, row)
  settle(run, row)
  refresh(run, row)
end

local function reindex(run, before, after)
  if before.status ~= after.status or before.finished ~= after.finished then
    leave(run, before)
    enter(run, after)
  end
  if before.is_finished ~= after.is_finished then
    let_go(run, before)
    settle(run, after)
  end
  refresh(run, after)
end

local function unindex(run, row)
  unlist(run, row)
  leave(run, row)
  let_go(run, row)
  redis.call("ZREM", key("id", row.id), row.created .. run)
  redis.call("ZREM", due_index(row), run)
end

-- Whole runs

-- Return the run as it is once it has the fields of the call, and lacks those that are absent.
local function changed(before)
  local after = {}
  for _, column in ipairs(COLUMNS) do
    after[column] = before[column]
  end
  for n = 1, #call.fields, 2 do
    after[call.fields[n]] = call.fields[n + 1]
  end
  for _, column in ipairs(call.absent) do
    after[column] = nil
  end
  after.is_finished, after.held = call.is_finished, before.held
  return after
end

-- End, forget and grant the leases that a change names.
local function move_leases(run, row)
  for _, place in ipairs(call.ended) do
    drop(run, row, place)
  end
  for _, place in ipairs(call.freed) do
    if not is_leased(row, place) then
      drop(run, row, place)
    end
  end
  for _, granted in ipairs(call.granted) do
    grant(run, row, granted)
  end
end

-- Write what a change says of a run, and return the run as it is then.
local function write(run, before)
  local name = key("run", run)
  local after = changed(before)
  for _, id in ipairs(call.kept) do
    redis.call("ZREM", key("unseen", run), id)
  end
  local gone = {}
  for _, column in ipairs(call.absent) do
    gone[#gone + 1] = before[column] and column
  end
  if #call.ended + #call.freed + #call.granted > 0 then
    move_leases(run, after)
    if next(after.held) then
      call.fields[#call.fields + 1] = "leases"
      call.fields[#call.fields + 1] = cmsgpack.pack(after.held)
    else
      gone[#gone + 1] = before.leases and "leases"
    end
  end
  if #gone > 0 then
    redis.call("HDEL", name, unpack(gone))
  end
  set(name, call.fields)
  record(run, call.entries)
  return after
end

local function remove(run)
  local row = read(run)
  if row then
    unindex(run, row)
    for place, lease in pairs(leases_of(row)) do
      forget_holder(run, place, lease)
    end
  end
  for _, field in ipairs(redis.call("HKEYS", key("inbox", run))) do
    local id = string.match(field, "^message:(.*)$")
    if id then
      redis.call("HDEL", prefix .. "messages", id)
    end
  end
  for _, kind in ipairs({"run", "history", "inbox", "known", "unseen"}) do
    redis.call("UNLINK", key(kind, run))
  end
end

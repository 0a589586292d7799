#!lua
-- Extend the leases that are still held; return the places, in the call, of those that are not.

local lost = {}
for n, claimed in ipairs(call.leases) do
  local row = read_once(claimed.run_id)
  local lease = row and held(row, claimed, call.now)
  if not lease then
    lost[#lost + 1] = n
  elseif tonumber(call["until"]) > tonumber(lease["until"]) then
    -- A renewal that arrives late shortens none.
    lease["until"], row.is_changed = call["until"], true
  end
end
store_changed()
return lost

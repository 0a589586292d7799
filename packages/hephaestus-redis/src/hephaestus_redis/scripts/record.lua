#!lua
-- Append entries to a history, each once, whether or not there is a run.

record(call.run_id, call.entries)
return 0

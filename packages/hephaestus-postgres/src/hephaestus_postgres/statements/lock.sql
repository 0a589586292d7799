-- Keeps other writers from a run.
SELECT run_id FROM {instances} WHERE run_id = $1 FOR NO KEY UPDATE

-- The runs of an id, or the one of a run id; those who write them wait from now on.
SELECT run_id FROM {instances}
WHERE run_id = $1 OR (id = $1 AND NOT EXISTS (SELECT FROM {instances} WHERE run_id = $1))
ORDER BY run_id
FOR UPDATE

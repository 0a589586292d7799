-- Finished runs that ended before a time; one that somebody writes is left for the next time.
SELECT run_id FROM {instances}
WHERE finished_at < $1 AND status = ANY($2::text[])
ORDER BY finished_at, run_id
LIMIT $3
FOR UPDATE SKIP LOCKED

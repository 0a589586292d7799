-- Who holds which key, and which of these runs are stored.
SELECT unique_key, run_id FROM {instances}
WHERE unique_key = ANY($1::text[]) AND unique_key IS NOT NULL
    AND status NOT IN ('completed', 'failed', 'cancelled')
UNION ALL
SELECT NULL, run_id FROM {instances} WHERE run_id = ANY($2::text[])

WITH asked AS (
    SELECT * FROM unnest($1::text[], $2::text[]) AS b(run_id, given)
), locked AS (
    SELECT i.run_id, i.wake_at, i.leases AS had, b.given::jsonb AS asked
    FROM {instances} i JOIN asked b ON b.run_id = i.run_id
    ORDER BY i.run_id
    FOR NO KEY UPDATE OF i
), changed AS (
    -- Only what is still the lease that is asked for.
    SELECT a.run_id, a.wake_at, a.had, (
        SELECT jsonb_object_agg(l.key, CASE
            WHEN a.asked->l.key->'holder' = l.value->'holder'
                AND NOT l.value ? 'released' AND (l.value->>'until')::timestamptz > $3
            THEN l.value || {become} ELSE l.value END)
        FROM jsonb_each(a.had) l
    ) AS leases
    FROM locked a
), written AS (
    UPDATE {instances} i SET leases = n.leases, lease_ends = n.ends{more}, due_at = {due_at}
    FROM (SELECT *, ({ends}) AS ends FROM changed) n
    WHERE i.run_id = n.run_id AND n.leases <> n.had
        AND i.status NOT IN ('completed', 'failed', 'cancelled')
)
SELECT run_id, leases::text AS leases FROM changed WHERE leases IS NOT NULL

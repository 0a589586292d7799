-- Ends the leases of a name's earlier incarnations; returns how many there were.
WITH found AS (
    SELECT i.run_id, i.wake_at, i.leases AS had FROM {instances} i
    WHERE i.due_at IS NOT NULL AND EXISTS (SELECT FROM jsonb_each(i.leases) l WHERE {theirs})
    ORDER BY i.run_id
    FOR NO KEY UPDATE OF i
), changed AS (
    SELECT f.run_id, f.wake_at, (
        SELECT jsonb_object_agg(l.key, CASE WHEN {theirs}
            THEN l.value || jsonb_build_object('until', $3::timestamptz) ELSE l.value END)
        FROM jsonb_each(f.had) l
    ) AS leases, (SELECT count(*) FROM jsonb_each(f.had) l WHERE {theirs}) AS adopted
    FROM found f
), written AS (
    UPDATE {instances} i SET leases = n.leases, lease_ends = n.ends, due_at = {due_at}
    FROM (SELECT *, ({ends}) AS ends FROM changed) n
    WHERE i.run_id = n.run_id
)
SELECT coalesce(sum(adopted), 0)::bigint AS adopted FROM changed

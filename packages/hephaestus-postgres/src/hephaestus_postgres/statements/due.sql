-- Hands over runs that need attention; returns them, those that have been due longest first.
WITH known AS (
    SELECT * FROM unnest($3::text[], $4::int[]) AS k(workflow, workflow_version)
), awake AS (
    SELECT i.run_id, least(i.wake_at, i.lease_ends) AS at FROM {instances} i
    -- No join, which would leave the order of the index: few rows of a long backlog are looked at.
    WHERE ((i.workflow, i.workflow_version) IN (SELECT * FROM known)) IS TRUE
        AND i.due_at <= $1 AND least(i.wake_at, i.lease_ends) <= $1
        AND (i.handed_until IS NULL OR i.handed_until <= $1)
    ORDER BY i.due_at, least(i.wake_at, i.lease_ends)
    LIMIT $2
), told AS (
    SELECT i.run_id, coalesce(m.not_before, '-infinity') AS at FROM {inbox} m
    JOIN {instances} i ON i.run_id = m.run_id
    WHERE ((i.workflow, i.workflow_version) IN (SELECT * FROM known)) IS TRUE
        AND m.body IS NOT NULL AND NOT m.is_seen AND (m.not_before IS NULL OR m.not_before <= $1)
        -- One that has ended is due as well: who posted may have died before dropping it.
        AND i.status <> 'failed'
        AND (i.handed_until IS NULL OR i.handed_until <= $1)
), picked AS (
    SELECT i.run_id, n.at FROM (
        SELECT run_id, min(at) AS at, bool_or(is_told) AS is_told FROM (
            SELECT *, false AS is_told FROM awake UNION ALL SELECT *, true FROM told
        ) found
        GROUP BY run_id ORDER BY min(at), run_id LIMIT $2
    ) n
    JOIN {instances} i ON i.run_id = n.run_id
    WHERE i.status <> 'failed' AND (n.is_told OR i.status NOT IN ('completed', 'cancelled'))
        AND (i.handed_until IS NULL OR i.handed_until <= $1)
    FOR NO KEY UPDATE OF i SKIP LOCKED
), handed AS (
    UPDATE {instances} i SET handed_until = $5 FROM picked p WHERE i.run_id = p.run_id
    RETURNING i.run_id, p.at
)
SELECT run_id FROM handed ORDER BY at, run_id

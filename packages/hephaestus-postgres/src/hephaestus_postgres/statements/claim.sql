-- Takes the leases of steps; returns the runs with the results that are asked for.
WITH free AS (
    SELECT b.run_id, b.seen, i.wake_at, i.leases || b.lease::jsonb AS leases
    FROM unnest($1::text[], $2::text[], $3::int[], $4::text[], $5::text[], $6::text[])
        AS b(run_id, step, attempt, lease, place, seen)
    JOIN {instances} i ON i.run_id = b.run_id
    WHERE i.status NOT IN ('completed', 'failed', 'cancelled')
        AND i.state->'active'->b.step IS NOT NULL
        AND coalesce(i.state->'active'->b.step->>'state', 'ready') = 'ready'
        AND coalesce((i.state->'active'->b.step->>'attempt')::int, 1) = b.attempt
        -- No subquery: it would not be asked again of a row that another has just changed.
        AND NOT (i.leases ? b.place AND NOT i.leases->b.place ? 'released')
        AND NOT EXISTS (
            SELECT FROM {inbox} m
            WHERE m.run_id = i.run_id AND m.step = b.step AND m.attempt = b.attempt
                AND m.body IS NOT NULL
        )
    ORDER BY i.run_id
    FOR NO KEY UPDATE OF i {skip}
)
UPDATE {instances} i SET leases = n.leases, lease_ends = n.ends, due_at = {due_at}
FROM (SELECT *, ({ends}) AS ends FROM free OFFSET 0) n
WHERE i.run_id = n.run_id
RETURNING {columns}, (
    {results} AND e.step = ANY(string_to_array(n.seen, ','))
) AS results

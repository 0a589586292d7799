-- Takes the lease of a step; returns the run with the results that are asked for.
UPDATE {instances} i SET
    leases = i.leases || $4::jsonb,
    lease_ends = (
        SELECT min((value->>'until')::timestamptz) FROM jsonb_each(i.leases || $4::jsonb)
    ),
    due_at = least(i.wake_at, date_bin('15 seconds', (
        SELECT min((value->>'until')::timestamptz) FROM jsonb_each(i.leases || $4::jsonb)
    ), 'epoch'))
WHERE i.run_id = $1 AND i.status NOT IN ('completed', 'failed', 'cancelled')
    AND i.state->'active'->$2 IS NOT NULL
    AND coalesce(i.state->'active'->$2->>'state', 'ready') = 'ready'
    AND coalesce((i.state->'active'->$2->>'attempt')::int, 1) = $3
    -- No subquery: it would not be asked again of a row that another has just changed.
    AND NOT (i.leases ? $6 AND NOT i.leases->$6 ? 'released')
    AND NOT EXISTS (
        SELECT FROM {inbox} m
        WHERE m.run_id = i.run_id AND m.step = $2 AND m.attempt = $3 AND m.body IS NOT NULL
    )
RETURNING {columns}, ({results} AND e.step = ANY($5::text[])) AS results

-- The runs that an id may mean, the likeliest first: the one of a run id, unfinished ones, and of
-- each workflow and version the last that ended. Nothing but the id is to be looked up in an index.
SELECT a.place, i.run_id, i.workflow, i.workflow_version, i.status
FROM unnest($1::text[]) WITH ORDINALITY AS a(id, place)
CROSS JOIN LATERAL (
    SELECT run_id, workflow, workflow_version, status, created_at, 0 AS rank
    FROM {instances} WHERE run_id = a.id
    UNION ALL
    SELECT run_id, workflow, workflow_version, status, created_at, 1
    FROM {instances}
    WHERE id = a.id AND (status NOT IN ('completed', 'failed', 'cancelled')) IS TRUE
    UNION ALL
    SELECT * FROM (
        SELECT DISTINCT ON (workflow, workflow_version)
            run_id, workflow, workflow_version, status, created_at, 2
        FROM {instances}
        WHERE id = a.id AND (status IN ('completed', 'failed', 'cancelled')) IS TRUE
        ORDER BY workflow, workflow_version, created_at DESC, run_id DESC
    ) ended
) i
ORDER BY a.place, i.rank, i.created_at DESC, i.run_id DESC

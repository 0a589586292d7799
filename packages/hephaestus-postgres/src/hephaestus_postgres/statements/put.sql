-- Restores or imports a run, as the new truth.
INSERT INTO {instances} AS i (
    run_id, id, workflow, workflow_version, status, unique_key, initial, state, tags,
    created_at, updated_at, finished_at, revision, wake_at, due_at
)
SELECT run_id, id, workflow, workflow_version, status, unique_key, initial::jsonb, state::json,
       tags::jsonb, created_at, coalesce(updated_at, created_at),
       CASE WHEN at_once IS NULL THEN coalesce(finished_at, created_at) END, revision + 1,
       at_once, at_once
FROM (VALUES (
    $1::text, $2::text, $3::text, $4::int, $5::text, $6::text, $7::text, $8::text, $9::text,
    $10::timestamptz, $11::timestamptz, $12::timestamptz, $13::bigint,
    CASE WHEN $5::text NOT IN ('completed', 'failed', 'cancelled')
    THEN '-infinity'::timestamptz END
)) AS b(run_id, id, workflow, workflow_version, status, unique_key, initial, state, tags,
        created_at, updated_at, finished_at, revision, at_once)
ON CONFLICT (run_id) DO UPDATE SET
    id = excluded.id, workflow = excluded.workflow, status = excluded.status,
    unique_key = excluded.unique_key, initial = excluded.initial, state = excluded.state,
    tags = excluded.tags, updated_at = coalesce($11, i.created_at),
    finished_at = CASE WHEN excluded.finished_at IS NOT NULL
                  THEN coalesce($12, i.created_at) END,
    revision = i.revision + 1, token = '', leases = '{}', lease_ends = NULL,
    wake_at = excluded.wake_at, due_at = excluded.due_at, handed_until = NULL

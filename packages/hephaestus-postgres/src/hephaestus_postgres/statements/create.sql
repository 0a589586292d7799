-- Inserts runs with their entries; returns those that were inserted.
WITH batch AS (
    SELECT * FROM unnest(
        $14::text[], $15::text[], $16::text[], $17::int[], $18::text[], $19::text[], $20::text[],
        $21::text[], $22::text[], $23::timestamptz[], $24::timestamptz[], $25::timestamptz[],
        $26::bigint[], $27::text[], $28::text[], $29::timestamptz[], $30::timestamptz[],
        $31::timestamptz[]
    ) AS b(run_id, id, workflow, workflow_version, status, unique_key, initial, state, tags,
           created_at, updated_at, finished_at, revision, token, leases, lease_ends, wake_at,
           due_at)
), free AS (
    -- Two starts of one key take turns.
    SELECT * FROM batch WHERE unique_key IS NULL OR {lock}
), written AS (
    INSERT INTO {instances} (
        run_id, id, workflow, workflow_version, status, unique_key, initial, state, tags,
        created_at, updated_at, finished_at, revision, token, leases, lease_ends, wake_at, due_at
    )
    SELECT run_id, id, workflow, workflow_version, status, unique_key, initial::jsonb,
           state::json, tags::jsonb, created_at, updated_at, finished_at, revision, token,
           leases::jsonb, lease_ends, wake_at, due_at
    FROM free
    ON CONFLICT DO NOTHING
    RETURNING run_id
){told}
SELECT run_id FROM written

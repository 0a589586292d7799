-- Puts messages into inboxes; returns the places of those whose run exists, and which are new.
WITH batch AS (
    SELECT * FROM unnest(
        $1::text[], $2::text[], $3::text[], $4::text[], $5::timestamptz[], $6::text[], $7::int[]
    ) WITH ORDINALITY AS b(id, run_id, dedup_key, body, not_before, step, attempt, place)
), found AS (
    -- A delete must not overtake the message.
    SELECT b.* FROM batch b JOIN {instances} i ON i.run_id = b.run_id
    ORDER BY i.run_id
    FOR KEY SHARE OF i
), written AS (
    INSERT INTO {inbox} (id, run_id, dedup_key, body, not_before, step, attempt)
    SELECT id, run_id, dedup_key, body::jsonb, not_before, step, attempt FROM found ORDER BY place
    ON CONFLICT DO NOTHING
    RETURNING id
)
SELECT place, id IN (SELECT id FROM written) AS is_new FROM found

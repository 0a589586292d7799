-- Writes changes against the revisions that they were computed from; returns whose were written.
WITH held AS (
    -- Claims and renewals change the leases without a revision. So a row is locked here, or it is
    -- written below only if its leases are still those that are read here.
    SELECT b.*, i.leases AS had
    FROM unnest(
        $14::text[], $15::bigint[], $16::text[], $17::text[], $18::text[], $19::timestamptz[],
        $20::timestamptz[], $21::timestamptz[], $22::text[], $23::text[], $24::text[]
    ) AS b(run_id, revision, token, status, state, updated_at, finished_at, wake_at, ended, freed,
           granted)
    JOIN {instances} i ON i.run_id = b.run_id
    WHERE i.revision = b.revision - 1 AND NOT EXISTS (
        SELECT FROM jsonb_each(i.leases) l
        WHERE b.granted::jsonb ? l.key AND NOT l.value ? 'released'
    )
    ORDER BY i.run_id
    {lock}
), leased AS MATERIALIZED (
    -- Once, as they were read: not again for a row that another has just changed.
    SELECT *, had
        - coalesce(string_to_array(ended, ','), '{}')
        - CASE WHEN freed IS NULL THEN '{}' ELSE ARRAY(
              SELECT key FROM unnest(string_to_array(freed, ',')) AS key
              WHERE had->key ? 'released'
          ) END
        || granted::jsonb AS leases
    FROM held
), written AS (
    UPDATE {instances} i SET
        revision = n.revision, token = n.token, status = n.status, state = n.state::json,
        updated_at = n.updated_at, finished_at = n.finished_at, wake_at = n.wake_at,
        leases = n.leases, lease_ends = n.ends, handed_until = NULL,
        due_at = CASE WHEN n.status NOT IN ('completed', 'failed', 'cancelled') THEN {due_at} END
    FROM (SELECT *, ({ends}) AS ends FROM leased OFFSET 0) n
    WHERE i.run_id = n.run_id{unchanged}
    RETURNING i.run_id
){told}{messages}
SELECT run_id FROM written

-- Writes changes against the revisions that they were computed from; returns whose were written.
WITH batch AS (
    SELECT * FROM unnest(
        $14::text[], $15::bigint[], $16::text[], $17::text[], $18::text[], $19::timestamptz[],
        $20::timestamptz[], $21::timestamptz[], $22::text[], $23::text[], $24::text[]
    ) AS b(run_id, revision, token, status, state, updated_at, finished_at, wake_at, ended, freed,
           granted)
), held AS (
    -- Claims and renewals change the leases without a revision: what counts is the locked row.
    SELECT i.run_id, i.leases FROM {instances} i JOIN batch b ON b.run_id = i.run_id
    WHERE i.revision = b.revision - 1 AND NOT EXISTS (
        SELECT FROM jsonb_each(i.leases) l
        WHERE b.granted::jsonb ? l.key AND NOT l.value ? 'released'
    )
    ORDER BY i.run_id
    FOR NO KEY UPDATE OF i {skip}
), leased AS (
    SELECT b.*, h.leases
        - coalesce(string_to_array(b.ended, ','), '{}')
        - CASE WHEN b.freed IS NULL THEN '{}' ELSE ARRAY(
              SELECT key FROM unnest(string_to_array(b.freed, ',')) AS key
              WHERE h.leases->key ? 'released'
          ) END
        || b.granted::jsonb AS leases
    FROM batch b JOIN held h ON h.run_id = b.run_id
), written AS (
    UPDATE {instances} i SET
        revision = n.revision, token = n.token, status = n.status, state = n.state::json,
        updated_at = n.updated_at, finished_at = n.finished_at, wake_at = n.wake_at,
        leases = n.leases, lease_ends = n.ends, handed_until = NULL,
        due_at = CASE WHEN n.status NOT IN ('completed', 'failed', 'cancelled') THEN {due_at} END
    FROM (SELECT *, ({ends}) AS ends FROM leased) n
    WHERE i.run_id = n.run_id
    RETURNING i.run_id
), told AS (
    {write_entries} JOIN written w ON w.run_id = e.run_id
    {known}
){messages}
SELECT run_id FROM written

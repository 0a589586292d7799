-- Takes a message back, and moves its run to the next revision.
WITH held AS (
    SELECT run_id FROM {instances}
    WHERE run_id = (SELECT run_id FROM {inbox} WHERE id = $1)
    FOR NO KEY UPDATE
), taken AS (
    UPDATE {inbox} m SET body = NULL FROM held h
    WHERE m.id = $1 AND m.run_id = h.run_id AND m.body IS NOT NULL
    RETURNING m.run_id
)
UPDATE {instances} i SET revision = i.revision + 1 FROM taken t WHERE i.run_id = t.run_id
RETURNING i.run_id

, named AS (
    SELECT m.message_id, m.is_taken
    FROM unnest($25::text[], $26::text[], $27::bool[]) AS m(run_id, message_id, is_taken)
    WHERE (m.run_id IN (SELECT run_id FROM written)) IS TRUE
), forgotten AS (
    -- An outcome need not be known again: its attempt is over.
    DELETE FROM {inbox} m USING named n
    WHERE m.id = n.message_id AND n.is_taken AND m.step IS NOT NULL
), taken AS (
    UPDATE {inbox} m SET body = NULL FROM named n
    WHERE m.id = n.message_id AND n.is_taken AND m.step IS NULL
), seen AS (
    UPDATE {inbox} m SET is_seen = true FROM named n
    WHERE m.id = n.message_id AND NOT n.is_taken
)

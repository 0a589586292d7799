-- Deletes runs that are locked, and histories, which may be of other runs as well.
WITH messages AS (DELETE FROM {inbox} WHERE run_id = ANY($1::text[])),
     history AS (DELETE FROM {entries} WHERE run_id = ANY($2::text[]))
DELETE FROM {instances} WHERE run_id = ANY($1::text[])

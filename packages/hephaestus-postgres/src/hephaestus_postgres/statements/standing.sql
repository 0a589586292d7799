-- Where runs stand, to tell what became of a change.
SELECT run_id, revision, token FROM {instances} WHERE run_id = ANY($1::text[])

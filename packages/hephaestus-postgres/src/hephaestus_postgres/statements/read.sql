-- Runs as they are at one moment, each with its inbox or its history if that is asked for.
SELECT a.place, {columns}, ({results}) AS results,
    CASE WHEN a.inbox THEN ({inbox_of_run}) END AS inbox,
    CASE WHEN a.history THEN ({history}) END AS history
FROM unnest($1::text[], $2::bool[], $3::bool[])
    WITH ORDINALITY AS a(run_id, inbox, history, place)
JOIN {instances} i ON i.run_id = a.run_id

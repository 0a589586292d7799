-- The history of a run, whether or not the run is stored.
SELECT ({history}) AS history FROM (SELECT $1::text AS run_id) i

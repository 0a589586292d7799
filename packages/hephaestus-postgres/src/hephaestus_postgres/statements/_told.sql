, told AS (
    {write_entries} WHERE (e.run_id IN (SELECT run_id FROM written)) IS TRUE
    {known}
)

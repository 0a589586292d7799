INSERT INTO {entries} (
    run_id, id, action, step, step_type, event, attempt, duration, input, output, error,
    timestamp, is_result
)
SELECT e.run_id, e.id, e.action, e.step, e.step_type, e.event, e.attempt, e.duration,
       e.input::json, e.output::json, e.error::json, e.timestamp, e.is_result
FROM {given_entries}

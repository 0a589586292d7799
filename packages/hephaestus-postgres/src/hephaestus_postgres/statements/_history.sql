SELECT json_agg(json_build_object(
    'id', e.id, 'action', e.action, 'step', e.step, 'step_type', e.step_type, 'event', e.event,
    'attempt', e.attempt, 'duration', e.duration, 'input', e.input, 'output', e.output,
    'error', e.error, 'timestamp', e.timestamp
) ORDER BY e.sequence)::text
FROM {entries} e
WHERE e.run_id = i.run_id AND e.action <> 'restored'

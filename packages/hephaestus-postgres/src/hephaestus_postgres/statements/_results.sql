SELECT json_object_agg(e.step, e.output)::text
FROM {entries} e
WHERE e.run_id = i.run_id AND e.is_result

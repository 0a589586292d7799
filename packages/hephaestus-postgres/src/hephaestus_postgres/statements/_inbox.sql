SELECT json_agg(json_build_object(
    'id', m.id, 'sequence', m.sequence, 'dedup_key', m.dedup_key, 'body', m.body,
    'not_before', m.not_before, 'seen', m.is_seen
) ORDER BY m.sequence)::text
FROM {inbox} m
WHERE m.run_id = i.run_id AND m.body IS NOT NULL

l.value->>'name' = $1 AND regexp_replace(l.value->>'holder', '/[0-9]+$', '') <> $2
AND NOT l.value ? 'released' AND (l.value->>'until')::timestamptz > $3

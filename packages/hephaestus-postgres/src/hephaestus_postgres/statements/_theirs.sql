l.value->>'name' = $1 AND l.value->>'incarnation' <> $2
AND NOT l.value ? 'released' AND (l.value->>'until')::timestamptz > $3

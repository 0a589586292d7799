unnest(
    $1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::int[],
    $8::float8[], $9::text[], $10::text[], $11::text[], $12::timestamptz[], $13::bool[]
) AS e(run_id, id, action, step, step_type, event, attempt, duration, input, output, error,
       timestamp, is_result)

SELECT min((value->>'until')::timestamptz) FROM jsonb_each(leases)

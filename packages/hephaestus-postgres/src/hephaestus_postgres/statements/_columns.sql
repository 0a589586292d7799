i.run_id, i.id, i.workflow, i.workflow_version, i.status, i.unique_key,
i.initial::text AS initial, i.state::text AS state, i.tags::text AS tags,
i.created_at, i.updated_at, i.finished_at, i.revision, i.leases::text AS leases

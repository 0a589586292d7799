"""The tables for runs, their histories and their inboxes."""

from hephaestus_postgres.migrations.migration import Migration

_ENDED = "('completed', 'failed', 'cancelled')"

MIGRATION = Migration(
    number=1,
    up=(
        """
        CREATE TABLE IF NOT EXISTS {instances} (
            run_id text COLLATE "C" NOT NULL PRIMARY KEY,
            id text COLLATE "C" NOT NULL,
            workflow text COLLATE "C" NOT NULL,
            workflow_version integer NOT NULL DEFAULT 1,
            unique_key text COLLATE "C",
            tags jsonb NOT NULL DEFAULT '[]',
            created_at timestamptz NOT NULL,
            initial jsonb NOT NULL DEFAULT '{{}}',
            status text NOT NULL DEFAULT 'pending',
            wake_at timestamptz,
            due_at timestamptz,
            handed_until timestamptz,
            updated_at timestamptz,
            finished_at timestamptz,
            lease_ends timestamptz,
            revision bigint NOT NULL DEFAULT 0,
            token text NOT NULL DEFAULT '',
            state json NOT NULL DEFAULT '{{"format": 1}}',
            leases jsonb NOT NULL DEFAULT '{{}}',
            CONSTRAINT {instances_name}_status_check CHECK (status IN (
                'pending', 'running', 'waiting', 'halted', 'completed', 'failed', 'cancelled'
            ))
        ) WITH (fillfactor = 40)
        """,
        f"""
        CREATE UNIQUE INDEX IF NOT EXISTS {{instances_name}}_unique_key_idx
        ON {{instances}} (unique_key)
        WHERE unique_key IS NOT NULL AND status NOT IN {_ENDED}
        """,
        "CREATE INDEX IF NOT EXISTS {instances_name}_id_idx ON {instances} (id)",
        """
        CREATE INDEX IF NOT EXISTS {instances_name}_created_idx
        ON {instances} (created_at)
        """,
        """
        CREATE INDEX IF NOT EXISTS {instances_name}_status_idx
        ON {instances} (status, created_at) WHERE status <> 'completed'
        """,
        """
        CREATE INDEX IF NOT EXISTS {instances_name}_workflow_idx
        ON {instances} (workflow, created_at)
        """,
        """
        CREATE INDEX IF NOT EXISTS {instances_name}_initial_idx
        ON {instances} USING gin (initial jsonb_path_ops) WITH (fastupdate = off)
        """,
        """
        CREATE INDEX IF NOT EXISTS {instances_name}_due_idx
        ON {instances} (due_at) WHERE due_at IS NOT NULL
        """,
        """
        CREATE INDEX IF NOT EXISTS {instances_name}_finished_idx
        ON {instances} (finished_at) WHERE finished_at IS NOT NULL
        """,
        """
        CREATE TABLE IF NOT EXISTS {entries} (
            sequence bigint GENERATED ALWAYS AS IDENTITY,
            timestamp timestamptz NOT NULL,
            duration double precision,
            attempt integer,
            is_result boolean NOT NULL DEFAULT false,
            run_id text COLLATE "C" NOT NULL,
            id text COLLATE "C" NOT NULL,
            action text NOT NULL,
            step text,
            step_type text,
            event text,
            input json,
            output json,
            error json,
            PRIMARY KEY (run_id, id)
        )
        """,
        """
        CREATE TABLE IF NOT EXISTS {inbox} (
            id text COLLATE "C" NOT NULL PRIMARY KEY,
            run_id text COLLATE "C" NOT NULL,
            dedup_key text COLLATE "C" NOT NULL,
            sequence bigint GENERATED ALWAYS AS IDENTITY,
            body jsonb,
            not_before timestamptz,
            step text,
            attempt integer,
            is_seen boolean NOT NULL DEFAULT false,
            CONSTRAINT {inbox_name}_dedup_key_key UNIQUE (run_id, dedup_key)
        )
        """,
        """
        CREATE INDEX IF NOT EXISTS {inbox_name}_unseen_idx
        ON {inbox} (run_id) WHERE body IS NOT NULL AND NOT is_seen
        """,
    ),
    down=(
        "DROP TABLE IF EXISTS {inbox}",
        "DROP TABLE IF EXISTS {entries}",
        "DROP TABLE IF EXISTS {instances}",
    ),
)

"""A schema that has had a second migration, as a later release will."""

from hephaestus_postgres.migrations import MIGRATIONS, Migration

ADDED = Migration(
    number=len(MIGRATIONS) + 1,
    up=(
        "ALTER TABLE {instances} ADD COLUMN IF NOT EXISTS note text",
        "CREATE INDEX IF NOT EXISTS {instances_name}_note_idx ON {instances} (note)",
    ),
    down=(
        "DROP INDEX IF EXISTS {schema}{instances_name}_note_idx",
        "ALTER TABLE {instances} DROP COLUMN IF EXISTS note",
    ),
)
LATER = (*MIGRATIONS, ADDED)

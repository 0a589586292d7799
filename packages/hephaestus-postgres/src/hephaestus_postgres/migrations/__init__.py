"""The schema, one migration after the other; what was released is never edited."""

from hephaestus_postgres.migrations import v01_tables
from hephaestus_postgres.migrations.migration import Migration

MIGRATIONS: tuple[Migration, ...] = (v01_tables.MIGRATION,)
"""In the order of their numbers, from 1."""

__all__ = ["MIGRATIONS", "Migration"]

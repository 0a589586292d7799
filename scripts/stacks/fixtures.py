"""Tables that are made once and emptied after each test: making them takes ten times as long."""

from collections.abc import Iterator
from uuid import uuid4

import pytest

from servers.sql import execute


@pytest.fixture(scope="session")
def standing_schema(postgres_url: str) -> Iterator[str]:
    """Return a schema with the tables of hephaestus-postgres, for the tests of this process."""
    from sqlalchemy.ext.asyncio import create_async_engine  # late: most tests need neither

    from hephaestus_postgres.migrations import MIGRATIONS
    from hephaestus_postgres.migrator import Migrator
    from hephaestus_postgres.tables import Tables

    schema = f"standing_{uuid4().hex[:16]}"
    url = postgres_url.replace("+asyncpg", "", 1)
    engine = create_async_engine(postgres_url)
    execute(url, f"CREATE SCHEMA {schema}")
    execute(url, Migrator(engine, Tables.named(schema=schema)).script(0, len(MIGRATIONS)))
    yield schema
    execute(url, f"DROP SCHEMA {schema} CASCADE")


@pytest.fixture
def empty_schema(standing_schema: str, postgres_url: str) -> Iterator[str]:
    """Return a schema with tables that are empty; a test must not change the tables."""
    yield standing_schema
    tables = ("workflow_inbox", "workflow_entries", "workflow_instances")
    deletes = "; ".join(f"DELETE FROM {standing_schema}.{table}" for table in tables)  # noqa: S608  # ours
    execute(postgres_url.replace("+asyncpg", "", 1), deletes)

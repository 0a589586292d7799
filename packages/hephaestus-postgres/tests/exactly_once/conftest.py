"""A table for effects, on the storage of the test."""

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from hephaestus_postgres import PostgresStorage


@pytest.fixture
async def effects(engine: AsyncEngine, postgres_schema: str) -> str:
    """Return the name of a table of the application's; the storage's are there as well."""
    await PostgresStorage(engine, schema=postgres_schema).migrate()
    name = f"{postgres_schema}.effects"
    async with engine.begin() as connection:
        await connection.exec_driver_sql(f"CREATE TABLE {name} (key text)")
    return name

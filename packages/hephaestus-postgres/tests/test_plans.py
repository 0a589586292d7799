"""The statements that the storage sends find their rows by an index."""

from collections.abc import AsyncIterator, Awaitable, Iterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from hephaestus.testing.storage.samples import NOW, change, moved, new_run
from hephaestus_postgres import PostgresStorage
from hephaestus_postgres.migrator import Migrator
from hephaestus_postgres.parcel import changed_run, tables
from hephaestus_postgres.tables import Tables
from servers.sql import execute

ROWS = 20_000
SENT = (
    "due", "claim", "load", "loads", "find", "post", "posts", "commit", "commits", "renew",
    "holders",
)  # fmt: skip

FILL = """
    INSERT INTO {schema}.workflow_instances (
        run_id, id, workflow, created_at, initial, status, wake_at, due_at, updated_at
    )
    SELECT 'run-' || n, 'orderid::' || n,
        CASE WHEN n % 100 = 0 THEN 'shop.Orders' WHEN n % 100 = 1 THEN 'a_b%c\\d.E'
             ELSE 'shop.Other' || n % 40 END,
        timestamptz '2026-01-01' + n * interval '1 second',
        jsonb_build_object('customer', n % 1000),
        CASE WHEN n % 50 = 0 THEN 'running' ELSE 'waiting' END,
        CASE WHEN n % 50 = 0 THEN timestamptz '2026-07-02' + n * interval '1 second' END,
        CASE WHEN n % 50 = 0 THEN timestamptz '2026-07-02' + n * interval '1 second' END,
        timestamptz '2026-01-01'
    FROM generate_series(1, {rows}) n
"""


@pytest.fixture(scope="module")
def filled(postgres_url: str) -> Iterator[str]:
    """Return a schema whose tables have rows enough for an index to be worth it."""
    schema = f"test_{uuid4().hex}"
    url = postgres_url.replace("+asyncpg", "", 1)
    execute(url, f"CREATE SCHEMA {schema}")
    migrator = Migrator(create_async_engine(postgres_url), Tables.named(schema=schema))
    execute(url, migrator.script(0, 1))
    execute(url, FILL.format(schema=schema, rows=ROWS))
    for table in ("workflow_instances", "workflow_entries", "workflow_inbox"):
        execute(url, f"VACUUM ANALYZE {schema}.{table}")
    yield schema
    execute(url, f"DROP SCHEMA {schema} CASCADE")


@pytest.fixture
async def storage(filled: str, engine: AsyncEngine) -> AsyncIterator[PostgresStorage]:
    """Return a storage on them."""
    storage = PostgresStorage(engine, schema=filled)
    await storage.open()
    yield storage
    await storage.close()


async def plan_of(storage: PostgresStorage, asking: Awaitable[object]) -> str:
    """Return the plan of the last statement that a question sends."""
    sent: list[tuple[str, Any]] = []

    def note(connection: object, cursor: object, statement: str, values: Any, *_: object) -> None:
        sent.append((statement, values))

    event.listen(storage.engine.sync_engine, "before_cursor_execute", note)
    try:
        await asking
    finally:
        event.remove(storage.engine.sync_engine, "before_cursor_execute", note)
    statement, values = sent[-1]
    async with storage.engine.connect() as connection:
        lines = await connection.exec_driver_sql(f"EXPLAIN {statement}", values)
        return "\n".join(lines.scalars())


@pytest.mark.parametrize(
    ("filters", "index"),
    [
        ({"context": {"initial": {"customer": 42}}}, "initial_idx"),
        ({"context": {"initial": {"customer": 42}}, "limit": 10}, "initial_idx"),
        ({"status": "running", "limit": 50}, "status_idx"),
        ({"status": "running", "limit": 50, "order": "oldest"}, "status_idx"),
        ({"status_in": ["running", "failed"]}, "status_idx"),
        ({"workflow": "shop.Orders", "limit": 50}, "workflow_idx"),
        ({"workflow": "shop.Orders"}, "workflow_idx"),
        ({"id": "orderid::777"}, "id_idx"),
        ({"run_id": "run-777"}, "pkey"),
        ({"after": "run-777", "limit": 50}, "created_idx"),
        ({"after": "run-777", "limit": 50, "order": "oldest"}, "created_idx"),
        ({"limit": 50}, "created_idx"),
        ({"created_after": NOW - timedelta(days=1)}, "created_idx"),
        ({"workflow_family": "shop.Or"}, "workflow_idx"),
        ({"workflow_family": "a_b%c\\d."}, "workflow_idx"),
        ({"status": "running", "after": "run-777", "limit": 50}, "status_idx"),
        ({"workflow": "shop.Orders", "after": "run-777", "limit": 50}, "workflow_idx"),
    ],
    ids=str,
)
async def test_a_query_finds_its_rows_by_an_index(
    storage: PostgresStorage, filters: dict[str, Any], index: str
) -> None:
    plan = await plan_of(storage, storage.query(**filters))

    assert f"workflow_instances_{index}" in plan
    assert "Seq Scan on workflow_instances" not in plan


async def test_completed_runs_are_counted_by_indexes_alone(storage: PostgresStorage) -> None:
    plan = await plan_of(storage, storage.count(status="completed"))

    assert plan.count("Index Only Scan") == 2
    assert "workflow_instances_status_idx" in plan


@pytest.mark.parametrize("statement", SENT)
async def test_what_a_runner_sends_finds_its_rows_by_an_index(
    storage: PostgresStorage, statement: str
) -> None:
    sql = _sent(storage)[statement]

    async with storage.engine.connect() as connection:
        driver: Any = (await connection.get_raw_connection()).driver_connection
        for name, value in storage._watch._settings.items():
            await driver.execute(f"SET {name} = '{value}'")
        lines = [row[0] for row in await driver.fetch(f"EXPLAIN {sql[0]}", *sql[1:])]
        await driver.execute("RESET ALL")

    plan = "\n".join(lines)
    assert "Seq Scan" not in plan
    assert "workflow_instances_due_idx" in plan or statement != "due"
    assert "workflow_instances_workflow_idx" not in plan


async def test_due_looks_at_no_more_of_a_long_backlog_than_it_hands_over(
    storage: PostgresStorage,
) -> None:
    sql, *values = _sent(storage)["due"]
    values[0] = NOW + timedelta(days=300)

    async with storage.engine.connect() as connection, connection.begin() as transaction:
        driver: Any = (await connection.get_raw_connection()).driver_connection
        for name, value in storage._watch._settings.items():
            await driver.execute(f"SET {name} = '{value}'")
        rows = await driver.fetch(f"EXPLAIN (ANALYZE, TIMING OFF) {sql}", *values)
        await transaction.rollback()
        await driver.execute("RESET ALL")

    (scan,) = [row[0] for row in rows if "workflow_instances_due_idx" in row[0]]
    looked_at = int(float(scan.rpartition("rows=")[2].split()[0]))
    assert ROWS / 50 > 50 > looked_at - 5 > 5


@pytest.mark.parametrize(
    ("family", "count"), [("a_b%c\\d.", 200), ("a_b%", 200), ("aXb", 0), ("%", 0), ("shop_", 0)]
)
async def test_every_character_of_a_family_is_literal(
    storage: PostgresStorage, family: str, count: int
) -> None:
    assert count == await storage.count(workflow_family=family)


def _sent(storage: PostgresStorage) -> dict[str, list[Any]]:
    """Return statements that runners send, each with values."""
    sql, run = storage._sql, "run-777"
    parcel = changed_run(change(moved(new_run(run_id=run))), storage.codec)
    claim = (run, "charge", 1, "{}", "charge/1", "")
    message = ("m", run, "m", "{}", None, None, None)
    return {
        "due": [sql.due, NOW + timedelta(days=1), 20, ["shop.Orders"], [1], NOW],
        "claim": sql.claim([claim]),
        "claims": sql.claim([claim] * 2),
        "load": sql.read([(run, True, False)]),
        "loads": sql.read([(run, True, False)] * 2),
        "find": [sql.find, ["orderid::777"]],
        "post": sql.post([message]),
        "posts": sql.post([message] * 2),
        "commit": sql.commit(*tables([parcel]), locking="late"),
        "commits": sql.commit(*tables([parcel, parcel]), locking="late"),
        "renew": [sql.renew, [run], ["{}"], NOW, NOW],
        "holders": [sql.holders, ["key"], [run]],
    }

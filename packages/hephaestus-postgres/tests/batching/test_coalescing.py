"""On a real server, what one write meets is no affair of those that travel with it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from hephaestus.errors import AlreadyRunning, InstanceNotFound, StaleInstance, StorageUnavailable
from hephaestus.instance import Instance
from hephaestus.storage import Owner
from hephaestus.testing.storage.samples import (
    NOW,
    change,
    commit,
    ended,
    event,
    finished_run,
    lease,
    moved,
    new_run,
    store,
)
from hephaestus_postgres import PostgresStorage

KEY = "orders 1"


async def some_runs(storage: PostgresStorage, count: int) -> list[Instance]:
    return [await store(storage, new_run(f"orderid::{number}")) for number in range(count)]


@asynccontextmanager
async def locked(storage: PostgresStorage, run: Instance) -> AsyncIterator[AsyncConnection]:
    """Hold the row of a run in another transaction."""
    table = storage.tables.instances
    async with storage.engine.begin() as connection:
        await connection.execute(
            table.select().where(table.c.run_id == run.run_id).with_for_update()
        )
        yield connection


async def waits(connection: AsyncConnection) -> None:
    """Return as soon as somebody waits for what the connection holds."""
    blocked = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
    async with asyncio.timeout(10):
        while not await connection.scalar(blocked):
            pass


async def test_a_key_that_is_taken_fails_the_retry_that_wants_it_and_nobody_else(
    opened: PostgresStorage,
) -> None:
    failed = await store(opened, finished_run(status="failed", unique_key=KEY))
    await store(opened, new_run(unique_key=KEY))
    others = await some_runs(opened, 4)
    retried = moved(failed, status="running", finished_at=None)

    answers = await asyncio.gather(
        *(opened.commit(change(run)) for run in [*map(moved, others[:2]), retried]),
        *(opened.commit(change(moved(run))) for run in others[2:]),
        return_exceptions=True,
    )

    assert isinstance(answers[2], AlreadyRunning)
    assert [None] * 4 == answers[:2] + answers[3:]
    assert {2} == {(await opened.get(run.run_id)).revision for run in others}


async def test_a_run_that_no_column_takes_fails_alone(opened: PostgresStorage) -> None:
    runs = [new_run(f"orderid::{number}") for number in range(5)]
    runs[2] = new_run("orderid::2", workflow_version=2**40)

    answers = await asyncio.gather(
        *(opened.create(change(run)) for run in runs), return_exceptions=True
    )

    assert isinstance(answers[2], StorageUnavailable)
    assert [None] * 4 == answers[:2] + answers[3:]
    assert 4 == await opened.count()


async def test_a_run_that_a_trigger_of_the_application_s_refuses_fails_alone(
    opened: PostgresStorage, postgres_schema: str
) -> None:
    runs = await some_runs(opened, 5)
    await _refuse(opened, postgres_schema, runs[1], "23514")

    answers = await asyncio.gather(
        *(opened.commit(change(moved(run))) for run in runs), return_exceptions=True
    )

    assert isinstance(answers[1], StorageUnavailable)
    assert [None] * 4 == answers[:1] + answers[2:]


async def test_a_run_that_a_trigger_of_the_application_s_refuses_is_not_created(
    opened: PostgresStorage, postgres_schema: str
) -> None:
    run = new_run()
    await _refuse(opened, postgres_schema, run, "23514")

    with pytest.raises(StorageUnavailable, match="the trigger refuses"):
        await opened.create(change(run))


async def test_a_locked_run_holds_up_nobody_else_s_commit(opened: PostgresStorage) -> None:
    runs = await some_runs(opened, 5)
    async with locked(opened, runs[0]) as connection:
        held_up, *others = (asyncio.create_task(opened.commit(change(moved(run)))) for run in runs)

        await asyncio.gather(*others)
        later = [await commit(opened, moved(moved(run))) for run in runs[1:]]
        await waits(connection)
        waited = not held_up.done()
    await held_up

    assert waited
    assert 4 == len(later)
    assert 2 == (await opened.get(runs[0].run_id)).revision


async def test_a_commit_that_met_a_claim_keeps_its_lease(opened: PostgresStorage) -> None:
    (run,) = await some_runs(opened, 1)
    table = opened.tables.instances
    claimed = table.update().where(table.c.run_id == run.run_id)
    async with locked(opened, run) as connection:
        committed = asyncio.create_task(opened.commit(change(moved(run))))
        await waits(connection)
        lease = {"until": "2026-07-01T00:00:00Z", "holder": "another/1"}
        await connection.execute(claimed.values(leases={"charge/1": lease}))
    await committed

    found = await opened.load(run.run_id)
    assert run.revision + 1 == found.instance.revision
    assert ["another"] == [lease.owner.incarnation for lease in found.leases]


async def test_a_locked_run_holds_up_nobody_else_s_message(opened: PostgresStorage) -> None:
    runs = await some_runs(opened, 5)
    async with locked(opened, runs[0]) as connection:
        held_up, *others = (asyncio.create_task(opened.post(event(run))) for run in runs)

        assert [True] * 4 == await asyncio.gather(*others)
        await waits(connection)
        waited = not held_up.done()

    assert (True, True) == (waited, await held_up)


async def test_a_locked_run_holds_up_nobody_else_s_claim(opened: PostgresStorage) -> None:
    runs = await some_runs(opened, 5)
    async with locked(opened, runs[0]) as connection:
        # The first leaves at once, and alone; the others travel together.
        first, held_up, *others = (
            asyncio.create_task(opened.claim(lease(run), NOW, results=()))
            for run in (runs[1], runs[0], *runs[2:])
        )

        claimed = await asyncio.gather(first, *others)
        await waits(connection)
        waited = not held_up.done()
    late = await held_up

    assert waited
    assert [runs[n].run_id for n in (1, 2, 3, 4)] == [one.run_id for one in claimed if one]
    assert late is not None
    assert runs[0].run_id == late.run_id


async def test_claims_that_travel_together_are_granted_or_refused_each_by_itself(
    opened: PostgresStorage,
) -> None:
    runs = await some_runs(opened, 6)
    await opened.claim(lease(runs[3], Owner(incarnation="another")), NOW, results=())
    await opened.delete(runs[4].run_id)
    await commit(opened, ended(runs[5]))

    claims = [opened.claim(lease(run), NOW, results=()) for run in runs]
    claimed = await asyncio.gather(*claims)

    assert [run.run_id for run in runs[:3]] == [one.run_id for one in claimed if one]


async def test_a_message_that_waited_for_a_delete_finds_nothing(opened: PostgresStorage) -> None:
    (run,) = await some_runs(opened, 1)
    async with locked(opened, run) as connection:
        posted = asyncio.create_task(opened.post(event(run)))
        await waits(connection)
        table = opened.tables.instances
        await connection.execute(table.delete().where(table.c.run_id == run.run_id))

    with pytest.raises(InstanceNotFound):
        await posted


async def test_a_commit_that_waited_for_another_is_stale(opened: PostgresStorage) -> None:
    (run,) = await some_runs(opened, 1)
    async with locked(opened, run) as connection:
        late = asyncio.create_task(opened.commit(change(moved(run))))
        await waits(connection)
        await connection.execute(opened.tables.instances.update().values(revision=2))

    with pytest.raises(StaleInstance):
        await late


@pytest.mark.parametrize("is_kept", [True, False])
async def test_a_key_in_an_open_transaction_holds_up_its_own_starts_alone(
    opened: PostgresStorage, engine: AsyncEngine, is_kept: bool
) -> None:
    first = new_run(unique_key=KEY)
    async with engine.connect() as connection, connection.begin() as transaction:
        await opened.create(change(first), session=connection)
        starts = [asyncio.create_task(opened.create(change(new_run(unique_key=KEY)))) for _ in "ab"]
        others = [opened.create(change(new_run(unique_key=f"orders {n}"))) for n in range(2, 9)]

        await asyncio.gather(*others)
        await waits(connection)
        waited = [not start.done() for start in starts]
        await (transaction.commit() if is_kept else transaction.rollback())
    answers = await asyncio.gather(*starts, return_exceptions=True)

    assert [True, True] == waited
    refused = [answer for answer in answers if isinstance(answer, AlreadyRunning)]
    assert (2 if is_kept else 1) == len(refused)
    assert 8 == await opened.count()


async def test_any_number_of_starts_of_a_held_key_hold_up_nobody(
    opened: PostgresStorage, engine: AsyncEngine
) -> None:
    async with engine.connect() as connection, connection.begin() as transaction:
        await opened.create(change(new_run(unique_key=KEY)), session=connection)
        starts = [
            asyncio.create_task(opened.create(change(new_run(unique_key=KEY)))) for _ in range(50)
        ]
        await waits(connection)

        for number in range(30):
            run = await store(opened, new_run(unique_key=f"another {number}"))
            await commit(opened, moved(run))
            await opened.post(event(run))
            await opened.query(id=run.id)
        waited = [not start.done() for start in starts]
        await transaction.rollback()
    answers = await asyncio.gather(*starts, return_exceptions=True)

    assert all(waited)
    assert 1 == answers.count(None)
    assert 49 == len([answer for answer in answers if isinstance(answer, AlreadyRunning)])


async def test_a_caller_that_is_cancelled_while_its_run_is_sent_finds_it_written(
    opened: PostgresStorage,
) -> None:
    run = new_run()
    caller = asyncio.create_task(opened.create(change(run)))
    while not opened._writes._wires._wires[0].is_busy:  # noqa: ASYNC110  # nothing announces it
        await asyncio.sleep(0)

    caller.cancel()
    await opened._writes._creates.idle()

    assert run == await opened.get(run.run_id)


async def _refuse(storage: PostgresStorage, schema: str, run: Instance, state: str) -> None:
    """Let a trigger of the application's refuse whatever is written for a run."""
    async with storage.engine.begin() as connection:
        await connection.exec_driver_sql(
            f"""
            CREATE FUNCTION {schema}.refuse() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN RAISE EXCEPTION 'the trigger refuses' USING ERRCODE = '{state}'; END $$
            """
        )
        await connection.exec_driver_sql(
            f"""
            CREATE TRIGGER refuses BEFORE INSERT OR UPDATE
            ON {schema}.{storage.tables.instances.name} FOR EACH ROW
            WHEN (NEW.run_id = '{run.run_id}') EXECUTE FUNCTION {schema}.refuse()
            """
        )


async def test_messages_that_are_large_do_not_all_travel_together(
    opened: PostgresStorage,
) -> None:
    run = await store(opened, new_run())
    large = {"text": "x" * 900_000}

    await asyncio.gather(*(opened.post(event(run, payload=large)) for _ in range(12)))

    inbox = opened.tables.inbox
    together = select(func.count()).select_from(inbox).group_by(text("xmin::text"))
    async with opened.engine.connect() as connection:
        flights = (await connection.scalars(together)).all()
    assert 12 == sum(flights)
    assert max(flights) <= 4

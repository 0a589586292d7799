"""What is started, resumed or cancelled with `session=` happens with the caller's commit."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession
from sqlalchemy.orm import Session

from hephaestus import Done, Hephaestus, LocalRunner, WaitForEvent, Workflow
from hephaestus.errors import AlreadyRunning, InstanceNotFound, InvalidArgument, NotSerializable
from hephaestus.testing.runner.stage import eventually
from hephaestus.testing.storage.samples import NOW, change, due, event, moved, new_run, store
from hephaestus_postgres import PostgresStorage

PATIENCE = 10

paid = WaitForEvent("paid")


class Invoice(Workflow, unique="invoice"):
    start_step = paid
    transitions = {paid: {"received": Done}}


@pytest.fixture
async def app(opened: PostgresStorage) -> AsyncIterator[Hephaestus]:
    """Return an app that looks for due runs often."""
    async with Hephaestus(opened, LocalRunner(poll=0.05)) as app:
        yield app


@pytest.fixture(params=["session", "connection"])
async def transaction(
    engine: AsyncEngine, request: pytest.FixtureRequest
) -> AsyncIterator[AsyncSession | AsyncConnection]:
    """Return a transaction of the caller's, as each type that is taken."""
    if request.param == "session":
        async with AsyncSession(engine) as session:
            yield session
    else:
        async with engine.connect() as connection:
            yield connection


async def test_a_start_is_seen_and_dispatched_after_the_commit(
    app: Hephaestus, transaction: AsyncSession | AsyncConnection
) -> None:
    invoice = await Invoice.start("1", {"total": 3}, session=transaction)
    before = await app.count()

    await transaction.commit()
    waiting = await invoice.wait(PATIENCE, until="waiting")

    assert (0, {"total": 3}) == (before, waiting.context.initial)


async def test_what_a_session_commits_is_dispatched_without_a_look_for_due_runs(
    opened: PostgresStorage, engine: AsyncEngine
) -> None:
    async with Hephaestus(opened, LocalRunner(poll=3600)):
        async with AsyncSession(engine) as session:
            invoice = await Invoice.start("1", {}, session=session)
            await session.commit()
            await invoice.wait(PATIENCE, until="waiting")
            await Invoice.resume("1", "paid", {"cents": 3}, session=session)
            await session.commit()

        instance = await invoice.wait(PATIENCE)

    assert ("completed", {"cents": 3}) == (instance.status, instance.result)


async def test_a_start_that_is_rolled_back_never_was(
    app: Hephaestus, transaction: AsyncSession | AsyncConnection
) -> None:
    invoice = await Invoice.start("1", {}, session=transaction)

    await transaction.rollback()

    with pytest.raises(InstanceNotFound):
        await invoice.get()
    assert "waiting" == (await (await Invoice.start("1", {})).wait(until="waiting")).status


async def test_a_savepoint_that_is_rolled_back_takes_its_starts_along(
    app: Hephaestus, transaction: AsyncSession | AsyncConnection
) -> None:
    first = await Invoice.start("1", {}, session=transaction)
    async with transaction.begin_nested() as savepoint:
        await Invoice.start("2", {}, session=transaction)
        await savepoint.rollback()
    third = await Invoice.start("3", {}, session=transaction)

    await transaction.commit()

    assert {first.id, third.id} == set(await app.storage.ids())
    await third.wait(PATIENCE, until="waiting")


async def test_a_start_that_is_refused_leaves_the_transaction_usable(
    app: Hephaestus, transaction: AsyncSession | AsyncConnection
) -> None:
    await Invoice.start("1", {})

    with pytest.raises(AlreadyRunning):
        await Invoice.start("1", {}, session=transaction)
    with pytest.raises(NotSerializable):
        await Invoice.start("2", {"total": object()}, session=transaction)
    await Invoice.start("3", {}, session=transaction)
    await transaction.commit()

    assert {"invoice::1", "invoice::3"} == set(await app.storage.ids())


async def test_two_starts_of_one_key_in_one_transaction_are_one_run(
    app: Hephaestus, transaction: AsyncSession | AsyncConnection
) -> None:
    first = await Invoice.start("1", {}, session=transaction)

    with pytest.raises(AlreadyRunning) as refused:
        await Invoice.start("1", {}, session=transaction)
    await transaction.commit()

    assert first.run_id == refused.value.run_id
    assert 1 == await app.count()


async def test_a_resume_is_applied_after_the_commit(
    app: Hephaestus, transaction: AsyncSession | AsyncConnection
) -> None:
    invoice = await Invoice.start("1", {})

    await Invoice.resume("1", "paid", {"by": "card"}, session=transaction)
    before = await invoice.get()
    await transaction.commit()
    instance = await invoice.wait(PATIENCE)

    assert ("waiting", "completed") == (before.status, instance.status)
    assert {"by": "card"} == instance.context.steps["paid"]


async def test_a_resume_that_is_rolled_back_leaves_the_run_waiting(
    app: Hephaestus, transaction: AsyncSession | AsyncConnection
) -> None:
    invoice = await Invoice.start("1", {})

    await Invoice.resume("1", "paid", {"by": "card"}, session=transaction)
    await transaction.rollback()
    await Invoice.resume("1", "paid", {"by": "cash"})
    instance = await invoice.wait(PATIENCE)

    assert {"by": "cash"} == instance.context.steps["paid"]


async def test_a_run_is_resumed_in_the_transaction_that_starts_it(
    app: Hephaestus, transaction: AsyncSession | AsyncConnection
) -> None:
    invoice = await Invoice.start("1", {}, session=transaction)

    await Invoice.resume("1", "paid", {"by": "card"}, session=transaction)
    await transaction.commit()
    instance = await invoice.wait(PATIENCE)

    assert ("completed", {"by": "card"}) == (instance.status, instance.context.steps["paid"])


async def test_a_run_is_cancelled_in_the_transaction_that_starts_it(
    app: Hephaestus, transaction: AsyncSession | AsyncConnection
) -> None:
    invoice = await Invoice.start("1", {}, session=transaction)

    await Invoice.cancel("1", session=transaction)
    await transaction.commit()
    instance = await invoice.wait(PATIENCE)

    assert "cancelled" == instance.status


async def test_a_cancel_takes_place_with_the_commit(
    app: Hephaestus, transaction: AsyncSession | AsyncConnection
) -> None:
    invoice = await Invoice.start("1", {})

    await Invoice.cancel("1", session=transaction)
    before = await invoice.get()
    await transaction.commit()
    instance = await invoice.wait(PATIENCE)

    assert ("waiting", "cancelled") == (before.status, instance.status)


async def test_what_is_no_transaction_is_refused(
    app: Hephaestus, engine: AsyncEngine, postgres_url: str
) -> None:
    await Invoice.start("1", {})
    for session in (object(), engine, engine.sync_engine, Session(), "BEGIN"):
        with pytest.raises(InvalidArgument, match="AsyncSession"):
            await Invoice.start("2", {}, session=session)
        with pytest.raises(InvalidArgument, match="AsyncSession"):
            await Invoice.resume("1", "paid", session=session)
        with pytest.raises(InvalidArgument, match="AsyncSession"):
            await Invoice.cancel("1", session=session)

    assert "waiting" == (await Invoice.get("1")).status


async def test_an_open_transaction_holds_up_no_other_start_commit_or_due_run(
    opened: PostgresStorage, transaction: AsyncSession | AsyncConnection
) -> None:
    known = await store(opened, new_run("orderid::1", unique_key="orders 1"), wake_at=NOW)
    await opened.create(change(new_run("orderid::2", unique_key="orders 2")), session=transaction)
    await opened.post(event(known), session=transaction)

    async with asyncio.timeout(PATIENCE):
        await store(opened, new_run("orderid::3", unique_key="orders 3"))
        taken = await due(opened)
        await opened.commit(change(moved(known)))
        await opened.post(event(known))
        await opened.query()
    await transaction.commit()

    assert [known.run_id] == taken
    assert 2 == len((await opened.load(known.run_id)).inbox)


async def test_a_delete_waits_for_an_open_transaction_and_takes_its_message_along(
    opened: PostgresStorage, transaction: AsyncSession | AsyncConnection, engine: AsyncEngine
) -> None:
    run = await store(opened, new_run())
    await opened.post(event(run), session=transaction)
    delete = asyncio.create_task(opened.delete(run.run_id))
    async with engine.connect() as other:

        async def waits() -> bool:
            blocked = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
            return bool(await other.scalar(blocked))

        await eventually(waits)
    before = delete.done()

    await transaction.commit()

    assert (False, True) == (before, await delete)
    async with engine.connect() as other:
        left = await other.scalar(opened.tables.inbox.select())
    assert left is None

"""A run begins in memory, goes on in Postgres, and ends on Dramatiq's workers."""

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from hephaestus import Handle, Hephaestus, Instance, LocalRunner, MemoryStorage
from hephaestus.storage import Storage
from stacks import stores
from stacks.brokers import BROKERS, new_queue
from stacks.runners import WorkingRunner
from upgrades.shop import Order

PATIENCE = 20
"""Seconds that nothing takes unless it fails."""

ORDER: dict[str, Any] = {"items": 3, "at": datetime(2026, 11, 20, tzinfo=UTC)}
RECEIPT = {"receipt": "r-1"}


@pytest.fixture
def memory() -> Hephaestus:
    """Return the app of the prototype."""
    return Hephaestus(MemoryStorage(), LocalRunner(poll=0.05))


@pytest.fixture
async def postgres(request: pytest.FixtureRequest) -> AsyncIterator[Storage]:
    """Return the database that the application gets next."""
    async with stores.postgres(request) as storage:
        yield storage


@pytest.fixture
def local(postgres: Storage) -> Hephaestus:
    """Return the app that executes in its own process, on the database."""
    return Hephaestus(postgres, LocalRunner(poll=0.05))


@pytest.fixture(params=["stub", "rabbitmq", "redis"])
def dramatiq(postgres: Storage, request: pytest.FixtureRequest) -> Iterator[Hephaestus]:
    """Return the app whose steps are messages, on the same database."""
    with BROKERS[request.param](request) as connect:
        runner = WorkingRunner(connect(), queue=new_queue(), concurrency=8, poll=0.05)
        yield Hephaestus(postgres, runner)


async def moved(run: Handle, source: Hephaestus, target: Storage) -> Instance:
    """Export a run and import it; neither app is open."""
    exported = await source.storage.get(run.run_id)
    await target.open()
    await target.put(exported)
    await target.close()
    return exported


def told(instance: Instance) -> list[tuple[Any, ...]]:
    """Return what the history says, apart from times; siblings end in any order."""
    lines = ((e.step, e.action, e.event, e.attempt, e.output) for e in instance.execution_history)
    return sorted(lines, key=lambda line: line[:2])


async def begun(app: Hephaestus, value: str = "1") -> Handle:
    """Start an order, and return when it waits for its payment."""
    order = await app.start_instance(Order, ORDER, id=f"order::{value}")
    await order.wait(PATIENCE, until="waiting")
    return order


async def paid(app: Hephaestus, run_id: str) -> Instance:
    """Pay an order, and return when it asks for approval."""
    await app.resume(run_id, "paid", RECEIPT, dedup_key="click")
    return await app.wait(run_id, PATIENCE, until="halted")


async def approved(app: Hephaestus, run_id: str) -> Instance:
    """Approve an order, and return when it is shipped."""
    await app.resume(run_id)
    return await app.wait(run_id, PATIENCE, until="completed")


async def test_a_run_goes_from_memory_by_postgres_to_dramatiq(
    memory: Hephaestus, local: Hephaestus, dramatiq: Hephaestus
) -> None:
    async with memory:
        order = await begun(memory)
    exported = await moved(order, memory, local.storage)

    async with local:
        halted = await paid(local, order.run_id)
    async with dramatiq:
        shipped = await approved(dramatiq, order.run_id)

    history = shipped.execution_history
    assert ("waiting", "halted", "completed") == (exported.status, halted.status, shipped.status)
    assert {"receipt": "r-1", "carrier": "post"} == shipped.result
    assert exported.created_at == shipped.created_at
    assert exported.execution_history == history[: len(exported.execution_history)]
    assert halted.execution_history == history[: len(halted.execution_history)]


async def test_a_run_that_moved_is_like_one_that_stayed(
    memory: Hephaestus, local: Hephaestus, dramatiq: Hephaestus
) -> None:
    async with memory:
        stayed = await begun(memory, "stays")
        await paid(memory, stayed.run_id)
        expected = await approved(memory, stayed.run_id)
        order = await begun(memory)
    await moved(order, memory, local.storage)

    async with local:
        await paid(local, order.run_id)
    async with dramatiq:
        instance = await approved(dramatiq, order.run_id)

    assert expected.context == instance.context
    assert expected.finished == instance.finished
    assert told(expected) == told(instance)


async def test_runs_move_wherever_they_stand(
    memory: Hephaestus, local: Hephaestus, dramatiq: Hephaestus
) -> None:
    async with memory:
        waiting = await begun(memory, "waiting")
        halted = await begun(memory, "halted")
        await paid(memory, halted.run_id)
        resting = await begun(memory, "resting")
        await paid(memory, resting.run_id)
        await resting.resume("approved")
        cancelled = await begun(memory, "cancelled")
        await cancelled.cancel()
        refused = await memory.start_instance(Order, {"items": 0}, id="order::refused")
        await refused.wait(PATIENCE)
    for run in (waiting, halted, resting, cancelled, refused):
        await moved(run, memory, local.storage)

    async with local:
        await local.resume(waiting.run_id, "paid", RECEIPT)
        await local.resume(halted.run_id)
    async with dramatiq:
        await dramatiq.wait(waiting.run_id, PATIENCE, until="halted")
        await dramatiq.resume("order::waiting")
        runs = (waiting, halted, resting)
        ended = [await dramatiq.wait(run.run_id, PATIENCE, until="completed") for run in runs]
        others = [await dramatiq.get(run.run_id) for run in (cancelled, refused)]

    assert [{"receipt": "r-1", "carrier": "post"}] * 3 == [instance.result for instance in ended]
    assert ["cancelled", "completed"] == [instance.status for instance in others]

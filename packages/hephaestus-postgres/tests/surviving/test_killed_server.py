"""The server is killed under load: what was accepted is finished, each outcome once."""

import asyncio
from collections import Counter

from hephaestus import Handle, Hephaestus, Instance, LocalRunner
from hephaestus.errors import AlreadyRunning, StorageUnavailable
from hephaestus.testing.runner.stage import Stage
from hephaestus.testing.runner.workflows import Order
from hephaestus.testing.storage.samples import NOW, lease, new_run, store
from hephaestus_postgres import PostgresStorage
from servers.server import Server

PATIENCE = 40.0
CALLERS = 5
RUNS = 30


async def test_accepted_starts_finish_after_two_kills_under_load(
    own_postgres_server: Server, own_storage: PostgresStorage, stage: Stage
) -> None:
    accepted: list[Handle] = []

    async def keep_starting(caller: int) -> None:
        for number in range(RUNS):
            value = f"{caller}x{number}"
            while not await _started(value, stage, accepted):  # noqa: ASYNC110  # it may be away
                await asyncio.sleep(0.01)

    runner = LocalRunner(lease=1, poll=0.05)
    async with Hephaestus(own_storage, runner) as app, asyncio.TaskGroup() as group:
        for caller in range(CALLERS):
            group.create_task(keep_starting(caller))
        for marks in (20, 60):
            await stage.reached("validate", marks)
            await asyncio.to_thread(own_postgres_server.kill)
            await asyncio.to_thread(own_postgres_server.start)
        orders = await asyncio.gather(*(_ended(app, number) for number in _values()))

    assert {"completed"} == {order.status for order in orders}
    assert {handle.run_id for handle in accepted} <= {order.run_id for order in orders}
    for order in orders:
        completed = [entry.step for entry in order.execution_history if entry.action == "completed"]
        assert {1} == set(Counter(completed).values())
        assert order.completed_steps == set(completed)


async def test_a_claim_that_was_answered_is_kept_by_a_server_that_is_killed_at_once(
    own_postgres_server: Server, own_storage: PostgresStorage
) -> None:
    await own_storage.open()
    run = await store(own_storage, new_run())
    claimed = await own_storage.claim(lease(run), NOW, results=())

    own_postgres_server.kill()
    own_postgres_server.start()
    snapshot = await own_storage.load(run.run_id)
    await own_storage.close()

    assert claimed is not None
    assert [lease(run).key] == [held.key for held in snapshot.leases]


def _values() -> list[str]:
    return [f"{caller}x{number}" for caller in range(CALLERS) for number in range(RUNS)]


async def _started(value: str, stage: Stage, accepted: list[Handle]) -> bool:
    """Start an order once; tell whether it is there, be it by a start whose answer was lost."""
    try:
        accepted.append(await Order.start(value, stage.initial()))
    except StorageUnavailable:
        return False
    except AlreadyRunning:
        return True
    return True


async def _ended(app: Hephaestus, value: str) -> Instance:
    """Return an order when it has ended; the storage may be away meanwhile."""
    async with asyncio.timeout(PATIENCE):
        while True:
            try:
                found = await app.query(id=f"order::{value}", status="completed")
                if found:
                    return await app.get(found[0].run_id)
            except StorageUnavailable:
                pass
            await asyncio.sleep(0.05)

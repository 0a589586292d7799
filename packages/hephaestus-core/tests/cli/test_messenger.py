"""The runner behind `resume`, `cancel` and `retry`: it stores, and executes nothing."""

from typing import Any

import pytest

from hephaestus import Hephaestus, MemoryStorage
from hephaestus.cli.messenger import Messenger
from hephaestus.testing import VirtualClock


@pytest.fixture
def storage() -> MemoryStorage:
    return MemoryStorage()


async def test_a_run_that_it_starts_is_left_to_workers(shop: Any, storage: MemoryStorage) -> None:
    async with Hephaestus(storage, Messenger()):
        run = await shop.User.start("1")
        assert ("running", {"charge"}) == ((got := await run.get()).status, set(got.active_steps))

    async with Hephaestus(storage) as app:
        assert "completed" == (await app.wait(run.run_id, 10)).status


async def test_a_timeout_is_scheduled_and_withdrawn(shop: Any, storage: MemoryStorage) -> None:
    clock = VirtualClock()
    async with Hephaestus(storage, clock=clock):
        run = await shop.Order.start("1")
        await run.wait(10, until="waiting")

    async with Hephaestus(storage, Messenger(), clock=clock) as app:
        first = await app.schedule_resume(run.run_id, "paid", 60)
        await app.schedule_resume(run.run_id, "paid", 120)
        assert await app.withdraw(first)
    async with Hephaestus(storage, clock=clock) as app:
        await clock.advance(119)
        assert "waiting" == (await app.get(run.run_id)).status
        await clock.advance(2)
        assert "completed" == (await app.wait(run.run_id, 10)).status

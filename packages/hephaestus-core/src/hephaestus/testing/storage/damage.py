"""What happens to a run whose stored state cannot be read."""

from collections.abc import Awaitable, Callable

import pytest

from hephaestus.errors import DamagedInstance
from hephaestus.storage import Storage
from hephaestus.testing.storage.samples import (
    lease,
    new_run,
    store,
)

Damage = Callable[[str], Awaitable[None]]
"""Makes the stored state of a run unreadable."""


class ReadingDamaged:
    """Clauses about a run that cannot be read; an adapter's `damage` fixture makes one."""

    @pytest.fixture
    def damage(self) -> Damage:
        """Return what makes the stored state of a run unreadable; override it."""
        pytest.skip("the adapter has no `damage` fixture, which spoils the stored state of a run")

    async def test_a_damaged_run_cannot_be_got(self, storage: Storage, damage: Damage) -> None:
        run = await store(storage, new_run())
        await damage(run.run_id)

        with pytest.raises(DamagedInstance) as raised:
            await storage.get(run.id)

        assert raised.value.run_id == run.run_id

    async def test_a_damaged_run_cannot_be_loaded(self, storage: Storage, damage: Damage) -> None:
        run = await store(storage, new_run())
        await damage(run.run_id)

        with pytest.raises(DamagedInstance):
            await storage.load(run.run_id)

    async def test_a_damaged_run_cannot_be_claimed(self, storage: Storage, damage: Damage) -> None:
        run = await store(storage, new_run())
        await damage(run.run_id)

        with pytest.raises(DamagedInstance):
            await storage.claim(lease(run), run.created_at, results=())

    async def test_a_damaged_run_is_left_out_of_a_query_with_a_log_line(
        self, storage: Storage, damage: Damage, caplog: pytest.LogCaptureFixture
    ) -> None:
        sound = await store(storage, new_run("orderid::1"))
        spoilt = await store(storage, new_run("orderid::2"))
        await damage(spoilt.run_id)

        found = await storage.query()

        assert [run.run_id for run in found] == [sound.run_id]
        assert spoilt.run_id in caplog.text

    async def test_a_damaged_run_can_be_deleted(self, storage: Storage, damage: Damage) -> None:
        run = await store(storage, new_run())
        await damage(run.run_id)

        deleted = await storage.delete(run.run_id)

        assert deleted
        assert await storage.count() == 0

    async def test_a_damaged_run_can_be_put_again(self, storage: Storage, damage: Damage) -> None:
        run = await store(storage, new_run(initial={"total": 3}))
        await damage(run.run_id)

        await storage.put(run)

        assert (await storage.get(run.run_id)).context == run.context

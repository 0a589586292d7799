"""What opening and closing promise, and what a storage says of itself."""

import pytest

from hephaestus.codec import Codec
from hephaestus.storage import Storage
from hephaestus.testing.storage.samples import entry, event, lease, new_run, store


class Opening:
    """Clauses about the life of a storage object."""

    async def test_a_storage_says_what_it_can_do(self, storage: Storage) -> None:
        kind = type(storage)

        capabilities = (kind.durable, kind.transactional)

        assert [type(capability) for capability in capabilities] == [bool, bool]
        assert isinstance(storage.codec, Codec)

    async def test_a_storage_that_was_opened_twice_serves_until_it_is_closed_twice(
        self, storage: Storage
    ) -> None:
        run = await store(storage, new_run())
        await storage.open()

        await storage.close()

        assert await storage.get(run.run_id) == run

    async def test_what_is_durable_outlives_closing(self, storage: Storage) -> None:
        if not storage.durable:
            pytest.skip("this storage is not durable")
        run = new_run(initial={"total": 3}, unique_key="orders 1")
        first = entry(run.run_id)
        await store(storage, run, entries=(first,), granted=(lease(run),))
        await storage.post(event(run))
        before = await storage.load(run.run_id)

        await storage.close()
        await storage.open()

        assert await storage.load(run.run_id) == before
        assert await storage.entries(run.run_id) == [first]

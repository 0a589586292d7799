"""MemoryStorage: the whole contract, and what it promises beyond."""

import pytest

from hephaestus.codec import Codec
from hephaestus.errors import DamagedInstance
from hephaestus.memory import MemoryStorage
from hephaestus.testing import StorageContract
from hephaestus.testing.storage.damage import Damage
from hephaestus.testing.storage.histories import Histories
from hephaestus.testing.storage.isolation import Isolation
from hephaestus.testing.storage.samples import (
    commit,
    entry,
    event,
    lease,
    moved,
    new_run,
    store,
    with_results,
)
from hephaestus.testing.storage.values import Values

JUNK = [
    b"",
    b"{",
    b"[]",
    b'{"format":99}',
    b'{"format":1,"active":{"charge":{"attempt":"x"}}}',
    b"[" * 9999,
]


class TestMemoryStorage(StorageContract):
    @pytest.fixture
    def storage(self) -> MemoryStorage:
        return MemoryStorage()

    @pytest.fixture
    def damage(self, storage: MemoryStorage) -> Damage:
        async def damage(run_id: str) -> None:
            storage._rows[run_id].state = b"{"

        return damage


class Mask:
    """A codec hook that makes everything unreadable to others."""

    def encode(self, plain: bytes) -> bytes:
        return bytes(byte ^ 0x55 for byte in plain)

    def decode(self, stored: bytes) -> bytes:
        return self.encode(stored)


class TestMaskedMemoryStorage(Values, Isolation, Histories):
    """All that users put in passes through the codec's hook, and comes back."""

    @pytest.fixture
    def storage(self) -> MemoryStorage:
        return MemoryStorage(codec=Codec(hook=Mask()))


async def test_rows_outlive_closing() -> None:
    storage = MemoryStorage()
    await storage.open()
    run = await store(storage, new_run(initial={"total": 3}))

    await storage.close()

    assert await storage.get(run.id) == run


async def test_two_apps_are_served_at_once() -> None:
    storage = MemoryStorage()
    await storage.open()
    await storage.open()
    run = await store(storage, new_run())

    await storage.close()
    await commit(storage, moved(run, status="halted"))
    await storage.close()

    assert (await storage.get(run.id)).status == "halted"


async def test_two_storages_share_nothing() -> None:
    first, second = MemoryStorage(), MemoryStorage()

    await store(first, new_run(unique_key="orders 1"))
    await store(second, new_run(unique_key="orders 1"))

    assert (await first.count(), await second.count()) == (1, 1)


async def test_a_storage_is_neither_durable_nor_transactional() -> None:
    storage = MemoryStorage()

    assert (storage.durable, storage.transactional) == (False, False)


@pytest.mark.parametrize("junk", JUNK, ids=lambda junk: repr(junk[:20]))
async def test_a_state_that_is_none_makes_a_run_damaged(junk: bytes) -> None:
    storage = MemoryStorage()
    run = await store(storage, new_run())

    storage._rows[run.run_id].state = junk

    with pytest.raises(DamagedInstance):
        await storage.get(run.id)


@pytest.mark.parametrize("part", ["initial", "results"])
async def test_data_that_cannot_be_read_make_a_run_damaged(part: str) -> None:
    storage = MemoryStorage()
    run = await store(storage, with_results(new_run(), check={"ok": True}), results=("check",))

    _spoil(storage, run.run_id, part)

    with pytest.raises(DamagedInstance) as raised:
        await storage.load(run.run_id)
    assert raised.value.run_id == run.run_id


@pytest.mark.parametrize("part", ["initial", "results"])
async def test_a_query_of_the_context_leaves_out_a_damaged_run_with_a_log_line(
    part: str, caplog: pytest.LogCaptureFixture
) -> None:
    storage = MemoryStorage()
    sound = await store(storage, new_run("orderid::1"))
    run = with_results(new_run("orderid::2"), check={"ok": True})
    spoilt = await store(storage, run, results=("check",))

    _spoil(storage, spoilt.run_id, part)
    found = await storage.query(context={"initial": {}})

    assert found == [sound]
    assert spoilt.run_id in caplog.text


async def test_a_message_that_cannot_be_read_makes_its_run_damaged_to_those_who_load_it() -> None:
    storage = MemoryStorage()
    run = await store(storage, new_run())
    paid = event(run)
    await storage.post(paid)

    storage._rows[run.run_id].inbox[paid.id].body = b"{"

    with pytest.raises(DamagedInstance, match="inbox"):
        await storage.load(run.run_id)
    assert await storage.get(run.id) == run


async def test_a_message_that_cannot_be_read_keeps_nobody_from_claiming() -> None:
    storage = MemoryStorage()
    run = await store(storage, new_run())
    paid = event(run)
    await storage.post(paid)
    storage._rows[run.run_id].inbox[paid.id].body = b"{"

    claimed = await storage.claim(lease(run), run.created_at, results=())

    assert claimed == run


async def test_a_damaged_run_keeps_the_lease_free() -> None:
    storage = MemoryStorage()
    run = await store(storage, new_run())
    storage._rows[run.run_id].state = b"{"

    with pytest.raises(DamagedInstance):
        await storage.claim(lease(run), run.created_at, results=())

    assert storage._rows[run.run_id].leases == {}


async def test_an_entry_that_cannot_be_read_is_damage() -> None:
    storage = MemoryStorage(codec=Codec(hook=Mask()))
    run = new_run()
    await store(storage, run, entries=(entry(run.run_id, output={"amount": 30}),))

    storage._histories._codec = Codec()

    with pytest.raises(DamagedInstance, match="history"):
        await storage.entries(run.run_id)


def _spoil(storage: MemoryStorage, run_id: str, part: str) -> None:
    row = storage._rows[run_id]
    if part == "initial":
        row.initial = b"{"
    else:
        row.results["check"] = b"{"

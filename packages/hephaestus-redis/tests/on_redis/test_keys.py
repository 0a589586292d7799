"""The keys: one hash tag for each namespace, any character in a name, nothing left behind."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis.asyncio import Redis

from hephaestus.errors import InstanceNotFound, InvalidArgument
from hephaestus.instance import ActiveStep, Instance
from hephaestus.testing.storage.samples import (
    ALICE,
    NOW,
    commit,
    ended,
    entry,
    event,
    lease,
    new_run,
    outcome,
    store,
)
from hephaestus_redis import RedisStorage, keys
from on_redis.setting import keys_of

ODD = ["a:b::c", "{x}", "}{", "*", "line\nbreak", "näme 🦀", "[a-z]", "run:", " ", "'\"\\"]
HOUR = timedelta(hours=1)
times = st.datetimes(
    min_value=datetime(2, 1, 1), max_value=datetime(9998, 1, 1)  # noqa: DTZ001  # zones are drawn
).map(lambda time: time.replace(tzinfo=UTC))  # fmt: skip


async def test_every_key_carries_the_hash_tag_of_its_namespace(
    storage: RedisStorage, client: Redis, redis_namespace: str
) -> None:
    await _store_everything(storage)

    found = await keys_of(client, redis_namespace)

    kinds = {key.split("}:")[1].split(":")[0] for key in found}
    assert all(key.startswith(f"{{{redis_namespace}}}:") for key in found)
    assert kinds == {
        "due", "finished", "history", "holders", "id", "inbox", "index", "known", "messages",
        "named", "run", "unseen", "workflows",
    }  # fmt: skip


@pytest.mark.parametrize("way", ["deleted by id", "deleted by run id", "pruned"])
async def test_no_key_is_left_of_a_run_that_is_gone(
    storage: RedisStorage, client: Redis, redis_namespace: str, way: str
) -> None:
    runs = await _store_everything(storage)

    for run in runs:
        if way == "pruned":
            found = await storage.get(run.run_id, history=False)
            if not found.is_finished:
                await commit(storage, ended(found))
        else:
            await storage.delete(run.id if way == "deleted by id" else run.run_id)
    if way == "pruned":
        assert await storage.prune(NOW + HOUR) == len(runs)

    assert await keys_of(client, redis_namespace) == []


async def test_no_key_ever_expires(
    storage: RedisStorage, client: Redis, redis_namespace: str
) -> None:
    await _store_everything(storage)

    spans = {await client.ttl(key) for key in await keys_of(client, redis_namespace)}

    assert spans == {-1}


async def test_namespaces_are_strangers(redis_url: str, redis_namespace: str) -> None:
    mine, theirs = (RedisStorage(redis_url, namespace=f"{redis_namespace} {n}") for n in range(2))
    for storage in (mine, theirs):
        await storage.open()
    run = await store(mine, new_run(unique_key="orders 1"))

    other = await store(theirs, new_run(unique_key="orders 1"))

    assert [found.run_id for found in await mine.query()] == [run.run_id]
    assert [found.run_id for found in await theirs.query()] == [other.run_id]
    for storage in (mine, theirs):
        await storage.close()


@pytest.mark.parametrize("odd", ODD)
async def test_names_may_hold_any_character(storage: RedisStorage, odd: str) -> None:
    step = {odd: ActiveStep(since=NOW)}
    run = new_run(f"id{odd}::{odd}", run_id=f"run{odd}", workflow=f"shop{odd}", active=step,
                  unique_key=odd, tags=(odd,))  # fmt: skip
    first = entry(run.run_id, id=f"entry{odd}")
    await store(storage, run, entries=(first,), wake_at=NOW)
    paid = event(run, id=odd, dedup_key=odd)
    await storage.post(paid)
    await storage.claim(lease(run, ALICE, step=odd), NOW, results=())

    snapshot = await storage.load(run.run_id)

    assert (snapshot.instance, snapshot.leases) == (run, (lease(run, ALICE, step=odd),))
    assert [(m.id, m.dedup_key) for m in snapshot.inbox] == [(odd, odd)]
    assert await storage.get(run.id) == await storage.get(run.run_id)
    assert await storage.entries(run.id) == [first]
    assert await storage.ids(f"shop{odd}") == [run.id]
    assert await storage.count(workflow_family=f"shop{odd}", tag=odd) == 1
    known = [(f"shop{odd}", 1)]
    assert await storage.due(NOW, 9, known, hand_over=HOUR) == [run.run_id]
    assert await storage.adopt(type(ALICE)(incarnation="alice-9", name="alice"), NOW) == 1
    assert await storage.withdraw(odd)
    assert await storage.delete(run.id)


async def test_ids_that_differ_only_in_what_cannot_be_stored_are_not_found(
    storage: RedisStorage,
) -> None:
    await store(storage, new_run("orderid::?", run_id="?"))

    for id in ("\ud800", "orderid::\ud800", "\0"):
        assert not await storage.delete(id)
        assert not await storage.withdraw(id)
        with pytest.raises(InstanceNotFound):
            await storage.load(id)


@pytest.mark.parametrize("namespace", ["", "a{b", "a}b", "a\0b", None, 7])
def test_a_namespace_that_cannot_be_a_hash_tag_is_refused(namespace: object) -> None:
    with pytest.raises(InvalidArgument, match="namespace="):
        RedisStorage("redis://localhost", namespace=namespace)  # type: ignore[arg-type]  # wrong on purpose


@given(times, times)
def test_the_order_of_moments_is_that_of_the_times(one: datetime, other: datetime) -> None:
    texts = [keys.moment(time) for time in (one, other)]

    assert (texts[0] < texts[1]) == (one < other)
    assert [keys.from_moment(text) for text in texts] == [one, other]
    assert keys.moment(one) < keys.next_moment(one) <= keys.moment(one + timedelta.resolution)


def test_a_moment_of_another_zone_is_the_same_moment() -> None:
    assert keys.moment(NOW) == keys.moment(NOW.astimezone(timezone(5 * HOUR)))


async def _store_everything(storage: RedisStorage) -> list[Instance]:
    """Store runs such that there is a key of every kind."""
    finished = new_run("orderid::1", status="completed", active={}, finished_at=NOW)
    run = new_run("orderid::2", unique_key="orders 2")
    await store(storage, finished, entries=(entry(finished.run_id),))
    await store(storage, run, entries=(entry(run.run_id),), granted=(lease(run),), wake_at=NOW)
    for message in (event(run), outcome(run), event(finished)):
        await storage.post(message)
    return [finished, run]

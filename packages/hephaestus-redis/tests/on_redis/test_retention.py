"""What is kept, for how long, and that nothing of the rest stays."""

from datetime import datetime, timedelta

import pytest
from redis.asyncio import Redis

from hephaestus import Done, Hephaestus, LocalRunner, Workflow
from hephaestus.errors import InvalidArgument
from hephaestus.testing.runner.stage import eventually
from hephaestus.testing.storage.samples import (
    NOW,
    SECOND,
    commit,
    due,
    ended,
    entry,
    event,
    finished_run,
    lease,
    moved,
    new_run,
    store,
)
from hephaestus_redis import RedisStorage
from hephaestus_redis.retention import Retention
from on_redis.setting import keys_of

DAY = timedelta(days=1)


class Tick(Workflow, unique="tick"):
    """A run that has ended as soon as it begins."""

    start_step = Done


MINUTE = timedelta(minutes=1)


async def test_whoever_looks_for_due_runs_prunes_what_is_past_retention(
    storage: RedisStorage, client: Redis, redis_namespace: str
) -> None:
    run = finished_run(unique_key="orders 1")
    await store(storage, run, entries=(entry(run.run_id),))
    await due(storage, NOW)

    await due(storage, NOW + 7 * DAY)
    at_the_time = await storage.count()
    await due(storage, NOW + 7 * DAY + MINUTE)

    assert at_the_time == 1
    assert await keys_of(client, redis_namespace) == []


async def test_nothing_unfinished_is_ever_pruned(storage: RedisStorage) -> None:
    for status in ("pending", "running", "waiting", "halted"):
        await store(storage, new_run(status=status))
    await due(storage, NOW)

    await due(storage, NOW + 3650 * DAY)

    assert await storage.count() == 4


async def test_a_failed_run_that_was_taken_up_again_is_not_pruned(storage: RedisStorage) -> None:
    failed = await store(storage, finished_run(status="failed"))
    await commit(storage, moved(failed, status="running", finished_at=None))
    await due(storage, NOW)

    await due(storage, NOW + 30 * DAY)

    assert await storage.count() == 1


async def test_without_retention_all_stays(redis_url: str, redis_namespace: str) -> None:
    storage = RedisStorage(redis_url, namespace=redis_namespace, retention=None)
    await storage.open()
    await store(storage, finished_run())
    await due(storage, NOW)

    await due(storage, NOW + 3650 * DAY)

    assert await storage.count() == 1
    await storage.close()


async def test_more_than_goes_at_once_goes_with_the_next_looks(storage: RedisStorage) -> None:
    for n in range(1100):
        await store(storage, finished_run(f"orderid::{n}"))
    await due(storage, NOW)

    await due(storage, NOW + 8 * DAY)
    left = await storage.count()
    await due(storage, NOW + 8 * DAY + SECOND)

    assert (left, await storage.count()) == (100, 0)


@pytest.mark.parametrize("limit", [1, 99, 100, 101, 250])
async def test_a_limit_that_takes_several_goes_is_kept(storage: RedisStorage, limit: int) -> None:
    for n in range(251):
        await store(storage, finished_run(f"orderid::{n}"))

    count = await storage.prune(NOW + DAY, limit=limit)

    assert (count, await storage.count()) == (limit, 251 - limit)


async def test_deleting_an_id_of_many_runs_takes_them_all(storage: RedisStorage) -> None:
    for _ in range(201):
        await store(storage, finished_run())

    assert await storage.delete("orderid::1")
    assert await storage.count() == 0


async def test_memory_stays_level_in_a_long_run(
    redis_url: str, client: Redis, redis_namespace: str
) -> None:
    storage = RedisStorage(redis_url, namespace=redis_namespace, retention=2 * DAY)
    await storage.open()
    sizes = []

    for day in range(12):
        now = NOW + day * DAY
        for n in range(50):
            await _live(storage, f"orderid::{day}x{n}", now)
        await due(storage, now + DAY / 2)
        sizes.append(await _size(client, redis_namespace))

    keys = {count for count, _ in sizes[4:]}
    memory = [used for _, used in sizes[4:]]
    assert len(keys) == 1
    assert max(memory) < 1.05 * min(memory)
    await storage.close()


async def test_a_running_app_prunes_what_has_been_kept_long_enough(
    redis_url: str, client: Redis, redis_namespace: str
) -> None:
    storage = RedisStorage(redis_url, namespace=redis_namespace, retention=0.2)
    async with Hephaestus(storage, LocalRunner(poll=0.05)) as app:
        await app.start_instance(Tick, {}, id="tick::1")

        async def is_gone() -> bool:
            return await keys_of(client, redis_namespace) == []

        await eventually(is_gone)


async def _live(storage: RedisStorage, id: str, now: datetime) -> None:
    """Let a run pass through all that a run can meet."""
    run = new_run(id, created_at=now, unique_key=id, tags=("gift",), initial={"total": 3})
    await store(storage, run, entries=(entry(run.run_id),), granted=(lease(run),), wake_at=NOW)
    kept, consumed, withdrawn = (event(run) for _ in range(3))
    for message in (kept, consumed, withdrawn):
        await storage.post(message)
    await storage.release([lease(run)], NOW)
    await storage.claim(lease(run), NOW, results=())
    await storage.withdraw(withdrawn.id)
    before = await storage.get(run.run_id, history=False)
    after = ended(before, at=now)
    added = (entry(run.run_id),)
    await commit(storage, after, kept=(kept.id,), consumed=(consumed.id,), entries=added)


async def _size(client: Redis, namespace: str) -> tuple[int, int]:
    """Return how many keys there are, and how many bytes they take."""
    keys = await keys_of(client, namespace)
    return len(keys), sum([await client.memory_usage(key, samples=0) or 0 for key in keys])


def test_there_is_nothing_to_prune_at_the_first_look() -> None:
    assert Retention(DAY).past(NOW) is None


def test_it_is_time_once_a_minute() -> None:
    retention = Retention(DAY)
    retention.past(NOW)

    looks = [retention.past(NOW + n * SECOND) for n in (59, 60, 61, 119, 120)]

    assert looks == [None, NOW + 60 * SECOND - DAY, None, None, NOW + 120 * SECOND - DAY]


def test_a_short_retention_is_looked_after_as_often() -> None:
    retention = Retention(2)
    retention.past(NOW)

    looks = [retention.past(NOW + n * SECOND) for n in (1, 2, 3, 4)]

    assert looks == [None, NOW, None, NOW + 2 * SECOND]


@pytest.mark.parametrize("wrong", [0, -1, "7 days", timedelta()])
def test_a_wrong_retention_is_refused(wrong: object) -> None:
    with pytest.raises(InvalidArgument, match="retention="):
        RedisStorage("redis://localhost", retention=wrong)  # type: ignore[arg-type]  # wrong on purpose

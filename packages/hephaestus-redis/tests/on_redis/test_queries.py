"""Queries read indexes page by page: filters come before limits, and nothing is ever scanned."""

import asyncio
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from redis.asyncio import Redis

from hephaestus.errors import AmbiguousInstance
from hephaestus.testing.storage.samples import (
    NOW,
    SECOND,
    commit,
    finished_run,
    moved,
    new_run,
    run_ids,
    store,
)
from hephaestus_redis import RedisStorage
from on_redis.setting import Server

MANY = 230
"""More than two pages."""


async def test_what_passes_late_is_found_behind_pages_of_what_does_not(
    storage: RedisStorage,
) -> None:
    wanted = await _store(storage, 0, tags=("gift",), initial={"total": 3}, workflow_version=2)
    for n in range(1, MANY):
        await _store(storage, n)

    found = [
        await storage.query(tag="gift", limit=1),
        await storage.query(context={"initial": {"total": 3}}, limit=1),
        await storage.query(workflow_version=2, limit=1),
    ]

    assert [run_ids(*runs) for runs in found] == [[wanted]] * 3


@pytest.mark.parametrize("order", ["newest", "oldest"])
async def test_more_runs_of_one_moment_than_a_page_holds_come_each_once(
    storage: RedisStorage, order: str
) -> None:
    runs = [new_run(f"orderid::{n}") for n in range(MANY)]
    await asyncio.gather(*(store(storage, run) for run in runs))

    found = await storage.query(order=order)

    assert run_ids(*found) == sorted(run_ids(*runs), reverse=order == "newest")


async def test_a_count_without_an_index_looks_at_every_page(storage: RedisStorage) -> None:
    for n in range(MANY):
        await _store(storage, n, tags=("gift",) if n % 2 else ())

    counts = [
        await storage.count(tag="gift"),
        await storage.count(created_after=NOW + 9 * SECOND, created_before=NOW + 20 * SECOND),
        await storage.count(status_in=["running", "waiting"], workflow_family="shop."),
    ]

    assert counts == [MANY // 2, 10, MANY]


async def test_a_run_that_changes_its_status_during_a_query_is_neither_lost_nor_doubled(
    storage: RedisStorage,
) -> None:
    run = await store(storage, new_run())
    seen = []

    async def move() -> None:
        current = run
        for _ in range(50):
            status = "waiting" if current.status == "running" else "running"
            current = await commit(storage, moved(current, status=status))

    moving = asyncio.create_task(move())
    while not moving.done():
        seen.append(await storage.count(status_in=["running", "waiting"]))
        seen.append(len(await storage.query(status_in=["running", "waiting"])))

    assert set(seen) == {1}
    await moving


async def test_a_run_that_is_put_under_another_workflow_leaves_the_index_of_the_first(
    storage: RedisStorage,
) -> None:
    run = await store(storage, new_run())

    await storage.put(msgspec.structs.replace(run, workflow="shop.Returns"))

    assert await storage.ids("shop.Orders") == []
    assert await storage.ids("shop.Returns") == [run.id]
    assert await storage.count(workflow_family="shop.O") == 0


async def test_an_id_of_many_finished_runs_means_the_one_that_is_not(
    storage: RedisStorage,
) -> None:
    unfinished = await store(storage, new_run(created_at=NOW - SECOND))
    for n in range(25):
        await store(storage, finished_run(created_at=NOW + n * SECOND))

    assert (await storage.get("orderid::1")).run_id == unfinished.run_id


async def test_the_run_of_another_workflow_is_found_behind_many_of_its_id(
    storage: RedisStorage,
) -> None:
    other = await store(storage, finished_run(workflow="shop.Returns"))
    for n in range(25):
        await store(storage, finished_run(created_at=NOW + n * SECOND))

    found = await storage.get("orderid::1", workflow="shop.Returns")

    assert found.run_id == other.run_id


async def test_an_ambiguous_id_names_all_its_unfinished_runs(storage: RedisStorage) -> None:
    runs = [await store(storage, new_run()) for _ in range(25)]

    with pytest.raises(AmbiguousInstance) as raised:
        await storage.get("orderid::1")

    assert {run_id for run_id, _, _ in raised.value.runs} == set(run_ids(*runs))


async def test_nothing_reads_the_keyspace(own_redis_server: Server, own_client: Redis) -> None:
    storage = RedisStorage(own_redis_server.url)
    await storage.open()
    run = await store(storage, new_run(tags=("gift",)))
    await store(storage, finished_run("orderid::2"))

    every: tuple[dict[str, Any], ...] = (
        {},
        {"status": "running"},
        {"workflow": run.workflow},
        {"id": run.id},
        {"run_id": run.run_id},
        {"tag": "gift"},
        {"workflow_family": "shop"},
        {"context": {"initial": {}}},
    )

    for filters in every:
        await storage.query(**filters)
        await storage.count(**filters)
    await storage.ids()
    await storage.get(run.id)
    await storage.prune(NOW + timedelta(days=1))
    await storage.delete(run.id)

    stats = await own_client.info("commandstats")
    assert {"cmdstat_scan", "cmdstat_keys"} & set(stats) == set()
    await storage.close()


async def _store(storage: RedisStorage, number: int, **fields: Any) -> str:
    run = new_run(f"orderid::{number}", created_at=NOW + number * SECOND, **fields)
    return (await store(storage, run)).run_id

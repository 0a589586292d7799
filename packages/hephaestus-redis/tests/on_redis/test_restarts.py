"""What a run survives: its server killed and restarted, its connections cut, its scripts lost."""

from contextlib import suppress

import pytest
from redis.asyncio import Redis

from hephaestus import Hephaestus, LocalRunner
from hephaestus.errors import AlreadyRunning, InstanceNotFound, StorageUnavailable
from hephaestus.testing.runner.stage import PATIENCE, Stage, eventually
from hephaestus.testing.runner.workflows import Errand, Order
from hephaestus.testing.storage.samples import commit, entry, event, lease, moved, new_run, store
from hephaestus_redis import RedisStorage
from on_redis.setting import Server


async def test_what_was_acknowledged_survives_a_killed_server(own_redis_server: Server) -> None:
    storage = RedisStorage(own_redis_server.url)
    await storage.open()
    run = new_run(unique_key="orders 1", initial={"total": 3})
    await store(storage, run, entries=(entry(run.run_id),), granted=(lease(run),))
    await storage.post(event(run))
    second = await commit(storage, moved(run, status="waiting"))
    before = await storage.load(run.run_id)

    own_redis_server.kill()
    own_redis_server.restart()

    assert await storage.load(run.run_id) == before
    assert await storage.get(run.id, history=False) == second
    assert len(await storage.entries(run.run_id)) == 1
    await storage.close()


async def test_runs_go_on_after_their_server_was_killed_and_restarted(
    own_redis_server: Server, stage: Stage
) -> None:
    stage.direct("validate", lambda _: stage.reached("restarted"))
    # However long the server takes, no lease ends meanwhile.
    async with _app(own_redis_server, lease=60) as app:
        orders = [await Order.start(str(n), stage.initial()) for n in range(20)]
        await stage.reached("validate", times=20)

        own_redis_server.kill()
        # They end while nobody keeps their outcomes, which have to wait.
        stage.mark("restarted")
        with pytest.raises(StorageUnavailable):
            await orders[0].get()
        own_redis_server.restart()
        instances = [await order.wait(PATIENCE) for order in orders]

        assert {instance.status for instance in instances} == {"completed"}
        assert await app.count(status="completed") == 20
        assert stage.count("validate") == 20


async def test_another_process_finishes_what_a_dead_one_left_on_a_dead_server(
    own_redis_server: Server, stage: Stage
) -> None:
    hangs = iter([True])
    stage.direct("run_errand", lambda _: stage.reached("never") if next(hangs, False) else None)
    storage = RedisStorage(own_redis_server.url)
    await storage.open()
    first = Hephaestus(storage, LocalRunner(lease=1, poll=0.05, grace=0))
    await first.open()
    errand = await first.start_instance(Errand, stage.initial(), id="errand::1")
    await stage.reached("run_errand")

    own_redis_server.kill()
    await first.close()
    own_redis_server.restart()
    async with _app(own_redis_server) as app:
        instance = await app.wait(errand.run_id, PATIENCE)

    assert instance.status == "completed"
    assert "lost" in [entry.action for entry in instance.execution_history]
    await storage.close()


async def test_runs_go_on_while_connections_are_cut_and_scripts_are_flushed(
    own_redis_server: Server, own_client: Redis, stage: Stage
) -> None:
    async with _app(own_redis_server) as app:
        for n in range(20):
            await _stubbornly_started(n, stage)
            await own_client.client_kill_filter(_type="normal", skipme=True)
            await own_client.script_flush()

        async def all_over() -> bool:
            return await app.count(status="completed") == 20

        await eventually(all_over)


async def _stubbornly_started(number: int, stage: Stage) -> None:
    """Start an order, whatever it takes; one that is there already was started."""
    is_there = False
    while not is_there:
        with suppress(StorageUnavailable, AlreadyRunning):
            await Order.start(str(number), stage.initial())
        with suppress(StorageUnavailable, InstanceNotFound):
            await Order.get(str(number))
            is_there = True


def _app(server: Server, *, lease: float = 1) -> Hephaestus:
    return Hephaestus(RedisStorage(server.url), LocalRunner(lease=lease, poll=0.05, grace=5))

"""Those who wait for a run hear of its changes, and none is missed."""

import asyncio

import msgspec

from hephaestus.instance import Instance
from hephaestus.watch import Watch

LONG = 5.0
RUN = Instance(id="order::1", run_id="run-1", workflow="Order")
OTHER = Instance(id="order::2", run_id="run-2", workflow="Order")


async def test_one_who_waits_is_woken_by_a_change() -> None:
    watch = Watch()

    with watch.watching("run-1") as watching:
        waiting = asyncio.create_task(watching.changed(LONG))
        await asyncio.sleep(0)
        asleep = not waiting.done()
        watch.notify(RUN)
        async with asyncio.timeout(LONG / 2):
            await waiting

    assert asleep


async def test_a_change_before_the_wait_is_not_missed() -> None:
    watch = Watch()

    with watch.watching("run-1") as watching:
        watch.notify(RUN)
        watch.notify(RUN)
        async with asyncio.timeout(LONG / 2):
            news = await watching.changed(LONG)

    assert RUN is news


async def test_of_several_changes_the_last_one_counts() -> None:
    watch = Watch()
    later = msgspec.structs.replace(RUN, status="completed")

    with watch.watching("order::1") as watching:
        watch.notify(RUN)
        watch.notify(later)
        news = await watching.changed(LONG)

    assert later is news


async def test_a_change_is_noticed_once() -> None:
    watch = Watch()

    with watch.watching("run-1") as watching:
        watch.notify(RUN)
        await watching.changed(LONG)
        waiting = asyncio.create_task(watching.changed(LONG))
        await asyncio.sleep(0)
        again = waiting.done()
        watch.notify(RUN)
        await waiting

    assert not again


async def test_a_wait_ends_with_its_time() -> None:
    watch = Watch()

    with watch.watching("run-1") as watching:
        async with asyncio.timeout(LONG):
            news = [await watching.changed(0), await watching.changed(0.001)]

    assert [None, None] == news


async def test_any_id_of_the_run_will_do_and_no_other() -> None:
    watch = Watch()

    with (
        watch.watching("run-1") as by_run,
        watch.watching("order::1") as by_id,
        watch.watching("run-2") as other,
    ):
        waiting = [asyncio.create_task(one.changed(LONG)) for one in (by_run, by_id, other)]
        await asyncio.sleep(0)
        watch.notify(RUN)
        await asyncio.gather(*waiting[:2])
        disturbed = waiting[2].done()
        watch.notify(OTHER)
        await waiting[2]

    assert not disturbed


async def test_all_who_wait_are_woken() -> None:
    watch = Watch()

    async def wait() -> None:
        with watch.watching("run-1") as watching:
            await watching.changed(LONG)

    waiting = [asyncio.create_task(wait()) for _ in range(10)]
    await asyncio.sleep(0)
    watch.notify(RUN)

    async with asyncio.timeout(LONG / 2):
        await asyncio.gather(*waiting)


async def test_one_who_gives_up_waiting_can_wait_again() -> None:
    watch = Watch()

    with watch.watching("run-1") as watching:
        waiting = asyncio.create_task(watching.changed(LONG))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        watch.notify(RUN)
        async with asyncio.timeout(LONG / 2):
            await watching.changed(LONG)


async def test_nobody_is_remembered_afterwards() -> None:
    watch = Watch()

    with watch.watching("run-1"), watch.watching("run-1"):
        pass
    watch.notify(RUN)

    assert {} == watch._waiting

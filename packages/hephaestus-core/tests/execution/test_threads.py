"""Plain functions run in threads of their own, and are not waited for by anyone who left."""

import asyncio
import contextvars
import threading
from collections.abc import Callable
from typing import Any

import pytest

from hephaestus.execution.threads import in_thread

LIMIT = 5.0
request = contextvars.ContextVar("request", default="none")


async def test_it_returns_what_the_function_returns() -> None:
    def name() -> str:
        return threading.current_thread().name

    assert "step-1" == await in_thread(name, "step-1")
    assert threading.current_thread().name != "step-1"


async def test_it_raises_what_the_function_raises() -> None:
    def fail() -> None:
        raise OSError("no connection")

    with pytest.raises(OSError, match="no connection"):
        await in_thread(fail, "step")


@pytest.mark.parametrize(
    "error", [SystemExit(3), KeyboardInterrupt(), StopIteration(1), GeneratorExit()], ids=repr
)
async def test_what_would_end_more_than_the_function_is_an_error_of_it(
    error: BaseException,
) -> None:
    def fail() -> None:
        raise error

    with pytest.raises(RuntimeError, match=type(error).__name__) as caught:
        await in_thread(fail, "step")

    assert error is caught.value.__cause__


async def test_the_event_loop_is_free_meanwhile() -> None:
    begun, go_on = asyncio.Event(), threading.Event()
    loop = asyncio.get_running_loop()

    def block() -> bool:
        loop.call_soon_threadsafe(begun.set)
        return go_on.wait(LIMIT)

    running = asyncio.create_task(in_thread(block, "step"))
    await begun.wait()
    go_on.set()

    assert await running


async def test_more_run_at_once_than_any_pool_holds() -> None:
    together = threading.Barrier(100)

    arrived = await asyncio.gather(
        *(in_thread(lambda: together.wait(LIMIT), f"step-{number}") for number in range(100))
    )

    assert set(range(100)) == set(arrived)


async def test_context_variables_are_copied_in_and_not_out() -> None:
    def change() -> str:
        seen = request.get()
        request.set("changed")
        return seen

    request.set("r-1")
    seen = await in_thread(change, "step")

    assert ("r-1", "r-1") == (seen, request.get())


async def test_one_who_is_cancelled_does_not_wait_and_the_function_runs_out() -> None:
    begun, go_on, over = asyncio.Event(), threading.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()

    def block() -> None:
        loop.call_soon_threadsafe(begun.set)
        go_on.wait(LIMIT)
        loop.call_soon_threadsafe(over.set)

    running = asyncio.create_task(in_thread(block, "step"))
    await begun.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    go_on.set()
    async with asyncio.timeout(LIMIT):
        await over.wait()


def test_a_function_that_outlives_its_loop_ends_in_peace() -> None:
    go_on, threads = threading.Event(), []

    async def leave() -> None:
        begun, loop = asyncio.Event(), asyncio.get_running_loop()

        def block() -> None:
            threads.append(threading.current_thread())
            loop.call_soon_threadsafe(begun.set)
            go_on.wait(LIMIT)

        running = asyncio.create_task(in_thread(block, "step"))
        await begun.wait()
        running.cancel()

    asyncio.run(leave())
    go_on.set()
    threads[0].join(LIMIT)

    assert not threads[0].is_alive()


async def test_a_thread_does_not_keep_the_process_alive() -> None:
    look: Callable[[], Any] = threading.current_thread

    thread = await in_thread(look, "step")

    assert thread.daemon

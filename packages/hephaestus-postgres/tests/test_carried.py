"""A coroutine in its caller's task comes to its end, whatever becomes of that."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from typing import Any

import pytest

from hephaestus_postgres.carried import carried


class Work:
    """Waits for a future, then for a turn, and notes in which task it came to its end."""

    def __init__(self) -> None:
        self.future: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.rest: list[asyncio.Task[Any]] = []
        self.ended_in: asyncio.Task[Any] | None = None

    async def run(self) -> str:
        try:
            answer = await self.future
        except ValueError as error:
            answer = str(error)
        await asyncio.sleep(0)
        self.ended_in = asyncio.current_task()
        return answer

    def take_over(self, rest: Coroutine[Any, Any, Any]) -> None:
        self.rest.append(asyncio.create_task(rest))

    async def begun(self) -> "asyncio.Task[str]":
        async def call() -> str:
            return await carried(self.run(), self.take_over)

        caller = asyncio.create_task(call())
        await asyncio.sleep(0)
        return caller


@pytest.fixture
async def work() -> AsyncIterator[Work]:
    """Return work, which is over at the end."""
    work = Work()
    yield work
    await asyncio.gather(*work.rest)


async def test_it_runs_in_the_callers_task(work: Work) -> None:
    caller = await work.begun()
    work.future.set_result("done")

    assert "done" == await caller
    assert caller is work.ended_in


async def test_it_handles_what_it_waits_for_as_its_own(work: Work) -> None:
    caller = await work.begun()
    work.future.set_exception(ValueError("refused"))

    assert "refused" == await caller


async def test_it_raises_what_it_does_not_handle(work: Work) -> None:
    caller = await work.begun()
    work.future.set_exception(KeyError("lost"))

    with pytest.raises(KeyError, match="lost"):
        await caller


async def test_a_caller_that_is_cancelled_leaves_it_to_another_task(work: Work) -> None:
    caller = await work.begun()
    caller.cancel()
    await asyncio.wait([caller], timeout=10)
    was_cancelled = work.future.cancelled()
    work.future.set_result("done")

    assert caller.cancelled()
    assert not was_cancelled
    assert ["done"] == await asyncio.gather(*work.rest)
    assert work.rest == [work.ended_in]


async def test_an_answer_and_a_cancellation_may_come_in_one_turn(work: Work) -> None:
    caller = await work.begun()
    work.future.set_exception(ValueError("refused"))
    caller.cancel()
    await asyncio.wait([caller], timeout=10)

    assert caller.cancelled()
    assert ["refused"] == await asyncio.gather(*work.rest)


async def test_a_cancellation_while_it_lets_others_run_leaves_it_to_another_task(
    work: Work,
) -> None:
    caller = await work.begun()
    work.future.set_result("done")
    await asyncio.sleep(0)
    caller.cancel()
    await asyncio.wait([caller], timeout=10)

    assert caller.cancelled()
    assert ["done"] == await asyncio.gather(*work.rest)


async def test_what_it_waits_for_may_itself_be_cancelled(work: Work) -> None:
    caller = await work.begun()
    work.future.cancel()
    await asyncio.wait([caller], timeout=10)

    assert caller.cancelled()
    assert [] == work.rest
    assert work.ended_in is None

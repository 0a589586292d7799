"""What `wait` makes of a run that was told to go on, and what it says of one that stays."""

import asyncio

import pytest

from hephaestus import (
    Done,
    Halt,
    Hephaestus,
    InvalidArgument,
    MemoryStorage,
    Retry,
    StepContext,
    WaitForEvent,
    WaitTimeout,
    Workflow,
    step,
)
from hephaestus.testing import VirtualClock

SOON = 10.0
"""Far less than the pause between two looks at a run that nobody announces."""

asked = WaitForEvent("asked")
answered = WaitForEvent("answered")


class Talk(Workflow, unique="waitingtalk"):
    start_step = asked
    transitions = {asked: {"received": answered}, answered: {"received": Done}}


async def test_a_wait_for_the_next_wait_ends_as_soon_as_it_begins() -> None:
    async with Hephaestus() as app:
        app.runner.watch.first_look = 3600
        talk = await Talk.start("1", {})
        await talk.resume("asked")
        async with asyncio.timeout(SOON):
            instance = await talk.wait(until="waiting")

    assert {"answered"} == instance.waiting_steps


async def test_a_quick_run_of_another_process_is_noticed_soon(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("hephaestus.waiting._LONGEST_LOOK", 3600.0)
    storage = MemoryStorage()
    async with Hephaestus(storage, name="here") as here, Hephaestus(storage, name="there") as there:
        here.runner.watch.first_look = 0.001
        talk = await there.start_instance(Talk, {}, id="waitingtalk::1")
        waiting = asyncio.create_task(here.wait(talk.run_id))
        await there.resume(talk.id, "asked")
        await there.resume(talk.id, "answered")
        async with asyncio.timeout(10):
            instance = await waiting

    assert "completed" == instance.status


@step(retry=Retry(2, initial_delay=3600))
async def stumble(ctx: StepContext) -> None:
    raise ValueError("the floor is wet")


@step
async def ask(ctx: StepContext) -> Halt:
    return Halt({}, prompt="go on?")


class Stumble(Workflow, unique="waitingstumble"):
    start_step = stumble
    transitions = {stumble: {"done": Done}}


class Ask(Workflow, unique="waitingask"):
    start_step = ask
    transitions = {ask: {"done": Done}}


async def test_a_wait_that_takes_too_long_says_what_the_run_waits_for() -> None:
    async with Hephaestus():
        talk = await Talk.start("2", {})

        with pytest.raises(WaitTimeout) as caught:
            await talk.wait(timeout=0)

    why = "step 'asked' waits for an event; step 'asked' takes asked, received"
    assert why == caught.value.obstacle
    assert str(caught.value).endswith(f"after 0 s: {why}")


async def test_a_wait_that_takes_too_long_says_which_step_fails_and_why() -> None:
    clock = VirtualClock()
    async with Hephaestus(clock=clock):
        run = await Stumble.start("1")
        await clock.advance(1)

        with pytest.raises(WaitTimeout, match=r"'stumble' failed 1 times, last with ValueError: "):
            await run.wait(timeout=0)


async def test_a_halted_run_says_that_it_waits_for_an_answer() -> None:
    async with Hephaestus():
        run = await Ask.start("1")

        halted = await run.wait()

    assert "step 'ask' halted and waits for an answer" == halted.obstacle
    assert "go on?" == halted.halt_prompt


async def test_a_failed_attempt_is_logged_with_its_traceback(
    caplog: pytest.LogCaptureFixture,
) -> None:
    clock = VirtualClock()
    async with Hephaestus(clock=clock):
        await Stumble.start("2")
        await clock.advance(1)

    (said,) = [record.getMessage() for record in caplog.records]
    assert said.startswith("step 'stumble' of waitingstumble::2 failed in attempt 1\nTraceback")
    assert said.endswith("ValueError: the floor is wet\n")


def test_an_app_that_was_opened_on_another_event_loop_says_so() -> None:
    app = Hephaestus()
    with asyncio.Runner() as first, asyncio.Runner() as second:
        first.run(app.open())
        try:
            with pytest.raises(InvalidArgument, match="opened on another event loop"):
                second.run(Talk.start("3"))
        finally:
            first.run(app.close())

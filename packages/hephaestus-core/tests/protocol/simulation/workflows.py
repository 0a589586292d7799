"""The workflows of the model; their bodies are watched, take their time, and may fail."""

import asyncio
import contextvars
from collections.abc import Callable, Mapping

from hephaestus.errors import Fatal
from hephaestus.instance import Instance
from hephaestus.outcome import Halt, Suspend
from hephaestus.retry import Retry
from hephaestus.steps import Done, StepContext, Wait, WaitForEvent, step
from hephaestus.transitions import Choose
from hephaestus.workflow import Workflow
from protocol.simulation.loop import HOST
from protocol.simulation.monitor import Monitor
from protocol.simulation.world import Process

MONITOR: contextvars.ContextVar[Monitor] = contextvars.ContextVar("monitor")
"""Who watches the bodies."""

_PAUSES = (0.5, 3.0, 8.0, 20.0)
_BUDGET = 4


class Broken(Exception):
    """What a flaky step raises."""


async def work(ctx: StepContext) -> None:
    """Take some turns, and sometimes time."""
    process, tenancy = HOST.get(), MONITOR.get().tenancy
    assert isinstance(process, Process)
    dice = process.world.dice
    body = tenancy.begins(process, ctx)
    try:
        for _ in range(dice.choice((0, 0, 1, 1, 2, 3))):
            if dice.random() < 0.3:
                await asyncio.sleep(dice.choice(_PAUSES))
            else:
                await process.world.point()
            tenancy.goes_on(body)
    finally:
        tenancy.ends(body)


def fails(chance: float) -> bool:
    """Draw whether a body fails."""
    process = HOST.get()
    assert isinstance(process, Process)
    return process.world.dice.random() < chance


def _seen(ctx: StepContext) -> dict[str, object]:
    return {"seen": sorted(ctx.steps)}


# A line


@step
async def first(ctx: StepContext) -> dict[str, int]:
    await work(ctx)
    return {"n": 1}


@step
async def second(ctx: StepContext) -> dict[str, int]:
    await work(ctx)
    return {"n": ctx[first]["n"] + 1}


@step
async def third(ctx: StepContext) -> dict[str, int]:
    await work(ctx)
    return {"n": ctx[second]["n"] + 1}


class Line(Workflow, unique="line"):
    start_step = first
    transitions = {first: {"done": second}, second: {"done": third}, third: {"done": Done}}


# Branches that are executed side by side, and meet


@step
async def split(ctx: StepContext) -> None:
    await work(ctx)


@step
async def east(ctx: StepContext) -> None:
    await work(ctx)


@step
async def north(ctx: StepContext) -> None:
    await work(ctx)


@step
async def west(ctx: StepContext) -> None:
    await work(ctx)


@step
async def gather(ctx: StepContext) -> dict[str, object]:
    await work(ctx)
    return _seen(ctx)


class Fan(Workflow, unique="fan"):
    start_step = split
    transitions = {
        split: {"done": [east, north, west]},
        east: {"done": gather},
        north: {"done": gather},
        west: {"done": gather},
        gather: {"done": Done},
    }


# Branches that exclude each other, and some that a function chooses


@step(events=("left", "right"))
async def fork(ctx: StepContext) -> str:
    await work(ctx)
    return str(ctx.initial["way"])


class Forks(Workflow, unique="forks"):
    start_step = fork
    transitions = {
        fork: {"left": east, "right": split},
        split: {"done": Choose(lambda ctx: [north, west][: ctx.initial["width"]], [north, west])},
        north: {"done": gather},
        west: {"done": gather},
        east: {"done": gather},
        gather: {"done": Done},
    }


# Events: one after the other, side by side, and against a timer

one = WaitForEvent("one")
two = WaitForEvent("two")
reply = WaitForEvent("reply", timeout=20)
pause = Wait(15, key="pause")


class Letters(Workflow, unique="letters"):
    start_step = first
    transitions = {
        first: {"done": one},
        one: {"received": second},
        second: {"done": two},
        two: {"received": gather},
        gather: {"done": Done},
    }


class Meeting(Workflow, unique="meeting"):
    start_step = split
    transitions = {
        split: {"done": [one, two, pause, east]},
        one: {"received": gather},
        two: {"received": gather},
        pause: {"timeout": gather},
        east: {"done": gather},
        gather: {"done": Done},
    }


class Deadline(Workflow, unique="deadline"):
    start_step = first
    transitions = {
        first: {"done": reply},
        reply: {"received": east, "timeout": west},
        east: {"done": pause},
        west: {"done": pause},
        pause: {"timeout": gather},
        gather: {"done": Done},
    }


@step(events=("answered", "timeout"))
async def nudge(ctx: StepContext) -> Suspend:
    await work(ctx)
    return Suspend()


class Reminder(Workflow, unique="reminder"):
    start_step = nudge
    transitions = {nudge: {"answered": gather, "timeout": gather}, gather: {"done": Done}}


# Failures


@step(retry=Retry(_BUDGET, initial_delay=2, backoff="linear"))
async def flaky(ctx: StepContext) -> None:
    await work(ctx)
    if fails(0.5):
        raise Broken


@step(timeout=5, retry=Retry(100, initial_delay=1, backoff="constant"))
async def hurried(ctx: StepContext) -> None:
    await work(ctx)


class Flaky(Workflow, unique="flaky"):
    start_step = flaky
    transitions = {flaky: {"done": hurried}, hurried: {"done": gather}, gather: {"done": Done}}


@step
async def fragile(ctx: StepContext) -> None:
    await work(ctx)
    if fails(0.6):
        raise Fatal("broken")


class Repair(Workflow, unique="repair"):
    start_step = split
    transitions = {
        split: {"done": [east, fragile, one, west]},
        east: {"done": gather},
        fragile: {"done": gather},
        one: {"received": gather},
        west: {"done": gather},
        gather: {"done": Done},
    }


# Questions


@step(events=("yes", "no"))
async def ask(ctx: StepContext) -> object:
    await work(ctx)
    if ctx.answer is not None:
        return "yes", dict(ctx.answer)
    return Halt({"question": "?"}, resume_to=ctx.initial["then"])


class Question(Workflow, unique="question"):
    start_step = split
    transitions = {
        split: {"done": [ask, east]},
        ask: {"yes": gather, "no": gather},
        east: {"done": gather},
        gather: {"done": Done},
    }


def _gathered(*seen: str) -> Callable[[Instance], bool]:
    def is_expected(instance: Instance) -> bool:
        return bool(instance.context.steps["gather"] == {"seen": sorted(seen)})

    return is_expected


def _forked(instance: Instance) -> bool:
    initial = instance.context.initial
    ways = ["east"] if initial["way"] == "left" else ["split", "north", "west"]
    return _gathered("fork", *ways[: initial["width"] + 1])(instance)


def _in_time_or_not(instance: Instance) -> bool:
    way = "east" if instance.finished["reply"].event == "received" else "west"
    return _gathered("first", "reply", way, "pause")(instance)


def is_right(instance: Instance) -> bool:
    """Return whether a completed run came to what its workflow must come to."""
    is_expected = _RIGHT[instance.workflow]
    return "done" in instance.finished and is_expected(instance)


def budget_is_kept(actions: list[str]) -> bool:
    """Return whether no more attempts failed than the policy of `flaky` allows."""
    failures = 0
    for action in actions:
        if action == "failed":
            failures += 1
        elif action == "retried":
            failures = 0
        if failures > _BUDGET:
            return False
    return True


_RIGHT: Mapping[str, Callable[[Instance], bool]] = {
    Line.name: lambda instance: instance.context.steps["third"] == {"n": 3},
    Fan.name: _gathered("split", "east", "north", "west"),
    Forks.name: _forked,
    Letters.name: _gathered("first", "one", "second", "two"),
    Meeting.name: _gathered("split", "one", "two", "pause", "east"),
    Deadline.name: _in_time_or_not,
    Reminder.name: _gathered("nudge"),
    Flaky.name: _gathered("flaky", "hurried"),
    Repair.name: _gathered("split", "east", "fragile", "one", "west"),
    Question.name: _gathered("split", "ask", "east"),
}

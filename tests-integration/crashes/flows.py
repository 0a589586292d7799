"""The workflows of the load, and how each of their runs is to end."""

import asyncio
import time
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import text

from crashes.effects import here, table
from hephaestus import (
    AlreadyRunning,
    Done,
    Halt,
    Retry,
    StepContext,
    Suspend,
    Wait,
    WaitForEvent,
    Workflow,
    step,
)

PAUSE = 0.03
"""Seconds that a body takes, so that there is something to kill."""

SHORT = timedelta(seconds=0.3)
PATIENT = Retry(max_attempts=5, initial_delay=0.05, backoff="constant", max_lost=10_000)


@step
async def begin(ctx: StepContext) -> dict[str, Any]:
    here().note(ctx)
    await asyncio.sleep(PAUSE)
    return {"number": ctx.initial["number"]}


@step
def count(ctx: StepContext) -> dict[str, Any]:
    here().note(ctx)
    time.sleep(PAUSE)
    return {"twice": ctx[begin]["number"] * 2}


@step
async def finish(ctx: StepContext) -> dict[str, Any]:
    here().note(ctx)
    await asyncio.sleep(PAUSE)
    return {"saw": sorted(ctx.steps)}


class Line(Workflow, unique="line", retry=PATIENT):
    start_step = begin
    transitions = {begin: {"done": count}, count: {"done": finish}, finish: {"done": Done}}


@step
async def left(ctx: StepContext) -> None:
    here().note(ctx)
    await asyncio.sleep(PAUSE)


@step
def middle(ctx: StepContext) -> None:
    here().note(ctx)


@step
async def right(ctx: StepContext) -> None:
    here().note(ctx)


class Fan(Workflow, unique="fan", retry=PATIENT):
    start_step = begin
    transitions = {
        begin: {"done": [left, middle, right, count]},
        left: {"done": finish},
        middle: {"done": finish},
        right: {"done": finish},
        count: {"done": finish},
        finish: {"done": Done},
    }


first, second, third = WaitForEvent("first"), WaitForEvent("second"), WaitForEvent("third")


class Letters(Workflow, unique="letters", retry=PATIENT):
    start_step = begin
    transitions = {
        begin: {"done": first},
        first: {"received": second},
        second: {"received": third},
        third: {"received": finish},
        finish: {"done": Done},
    }


@step(events=("opened",))
async def gate(ctx: StepContext) -> Suspend:
    here().note(ctx)
    return Suspend()


class Gate(Workflow, unique="gate", retry=PATIENT):
    start_step = begin
    transitions = {begin: {"done": gate}, gate: {"opened": finish}, finish: {"done": Done}}


pause = Wait(SHORT, key="pause")
nobody = WaitForEvent("nobody", timeout=SHORT)


class Timers(Workflow, unique="timers", retry=PATIENT):
    start_step = begin
    transitions = {
        begin: {"done": pause},
        pause: {"timeout": nobody},
        nobody: {"timeout": finish, "received": finish},
        finish: {"done": Done},
    }


@step
async def stumble(ctx: StepContext) -> None:
    here().note(ctx)
    if ctx.attempt < 3:
        raise ConnectionError("it hung up")


class Stumbling(Workflow, unique="stumbling", retry=PATIENT):
    start_step = stumble
    transitions = {stumble: {"done": finish}, finish: {"done": Done}}


@step(events=("approved",))
async def ask(ctx: StepContext) -> Halt:
    here().note(ctx)
    return Halt({"number": ctx.initial["number"]}, prompt="go on?")


class Asking(Workflow, unique="asking", retry=PATIENT):
    start_step = ask
    transitions = {ask: {"approved": finish}, finish: {"done": Done}}


@step
async def bear(ctx: StepContext) -> None:
    here().note(ctx)
    number = ctx.initial["number"]
    await start(Line, number, value=f"child{number}")


class Family(Workflow, unique="family", retry=PATIENT):
    start_step = bear
    transitions = {bear: {"done": finish}, finish: {"done": Done}}


never = WaitForEvent("never")


class Cancelled(Workflow, unique="cancelled", retry=PATIENT):
    start_step = begin
    transitions = {begin: {"done": never}, never: {"received": Done}}


class Idle(Workflow, unique="idle", retry=PATIENT):
    start_step = begin
    transitions = {begin: {"done": never}, never: {"received": Done}}


@step(transactional=True)
async def book(ctx: StepContext) -> None:
    here().note(ctx)
    run_id = ctx.instance.run_id
    await ctx.session.execute(text(f"INSERT INTO {table()} VALUES (:run_id)"), {"run_id": run_id})
    await asyncio.sleep(PAUSE)


class Booking(Workflow, unique="booking", retry=PATIENT):
    start_step = begin
    transitions = {begin: {"done": book}, book: {"done": finish}, finish: {"done": Done}}


ALONE: tuple[type[Workflow], ...] = (Line, Fan, Timers, Stumbling, Family)
"""Those that come to their end without anybody's help."""

HELPED: tuple[type[Workflow], ...] = (Letters, Gate, Asking, Cancelled, Idle)
"""Those that wait for the outside."""

TRANSACTIONAL: tuple[type[Workflow], ...] = (Booking,)

KINDS: Mapping[str, type[Workflow]] = {
    flow.__name__: flow for flow in (*ALONE, *HELPED, *TRANSACTIONAL)
}


async def start(flow: type[Workflow], number: int, *, value: str | None = None) -> str:
    """Start a run of which there shall be one, note that it was accepted, and return its run id."""
    value = value or str(number)
    found = await flow.list(id=f"{flow.__name__.lower()}::{value}")
    if found:
        here().accept(flow.__name__, found[0].id, found[0].run_id)
        return found[0].run_id
    try:
        handle = await flow.start(value, {"number": number})
    except AlreadyRunning:
        return await start(flow, number, value=value)
    here().accept(flow.__name__, handle.id, handle.run_id)
    return handle.run_id

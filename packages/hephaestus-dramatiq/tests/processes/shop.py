"""The workflows of the tests, as an application defines them."""

import asyncio
import time
from datetime import timedelta
from typing import Any

from hephaestus import Done, Retry, StepContext, Wait, WaitForEvent, Workflow, step
from processes.plumbing import is_open, mark

_GLANCE = 0.01
QUICKLY = Retry(max_attempts=3, initial_delay=0.05, backoff="constant", jitter=0)


@step
async def validate(ctx: StepContext) -> dict[str, Any]:
    """End at once."""
    mark(ctx, "validate")
    return {"count": ctx.initial.get("count", 1)}


@step
def charge(ctx: StepContext) -> dict[str, Any]:
    """Be a plain function."""
    mark(ctx, "charge")
    return {"amount": ctx[validate]["count"] * 10}


@step
async def ship(ctx: StepContext) -> dict[str, Any]:
    """End at once."""
    mark(ctx, "ship")
    return {"attempt": ctx.attempt}


class Order(Workflow, unique="order", tags=["orders"], metadata={"team": "sales"}):
    """Three steps in a line, one of them plain."""

    start_step = validate
    transitions = {validate: {"done": charge}, charge: {"done": ship}, ship: {"done": Done}}


@step
async def linger(ctx: StepContext) -> dict[str, Any]:
    """Hang the first time that it is executed, unless the test lets it go on."""
    mark(ctx, "linger")
    while not (is_open("go") or is_open(f"go-{ctx.attempt}")):  # noqa: ASYNC110  # a file tells
        await asyncio.sleep(_GLANCE)
    return {"attempt": ctx.attempt}


class Lingering(Workflow, unique="lingering"):
    """A step before, a step that hangs, a step after."""

    start_step = validate
    transitions = {validate: {"done": linger}, linger: {"done": ship}, ship: {"done": Done}}


@step
def linger_plainly(ctx: StepContext) -> dict[str, Any]:
    """Hang as a plain function."""
    mark(ctx, "linger_plainly")
    while not is_open("go"):
        time.sleep(_GLANCE)
    return {"attempt": ctx.attempt}


class LingeringPlainly(Workflow, unique="lingeringplainly"):
    """One plain step that hangs."""

    start_step = linger_plainly
    transitions = {linger_plainly: {"done": Done}}


paid = WaitForEvent("paid", timeout=timedelta(days=1))
doze = Wait(timedelta(seconds=1), key="doze")


class Bill(Workflow, unique="bill"):
    """A step, a pause, an event from outside, a step."""

    start_step = validate
    transitions = {
        validate: {"done": doze},
        doze: {"timeout": paid},
        paid: {"received": ship, "timeout": Done},
        ship: {"done": Done},
    }


@step(retry=QUICKLY)
async def stumble(ctx: StepContext) -> dict[str, Any]:
    """Fail always."""
    mark(ctx, "stumble")
    raise OSError("no connection")


class Stumbling(Workflow, unique="stumbling"):
    """A step that fails three times."""

    start_step = stumble
    transitions = {stumble: {"done": Done}}

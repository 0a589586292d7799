"""What type checkers make of a user's program; it is read by mypy and basedpyright, never run."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, assert_type

from hephaestus import (
    Choose,
    Done,
    Entry,
    Fatal,
    Halt,
    Handle,
    Hephaestus,
    Instance,
    LocalRunner,
    MemoryStorage,
    Retry,
    Step,
    StepContext,
    Suspend,
    Unique,
    Wait,
    WaitForEvent,
    Workflow,
    step,
)
from hephaestus.blocking import BlockingHandle, BlockingHephaestus


@step(events=("valid", "invalid"), retry=Retry(max_attempts=3), timeout=timedelta(seconds=5))
async def validate(ctx: StepContext) -> tuple[str, Mapping[str, Any]] | str:
    """Return an event with data, or an event alone."""
    if not ctx.initial["items"]:
        return "invalid"
    return "valid", {"items": ctx.initial["items"]}


@step
def approve(ctx: StepContext) -> Halt:
    """Run in a thread, and wait for an answer."""
    return Halt({"attempt": ctx.attempt}, prompt="approve?")


class Charge(Step):
    """Be a step as a class, with every attribute that a step may set."""

    events = ("charged", "timeout")
    retry = Retry(max_attempts=5, initial_delay=timedelta(seconds=1), backoff="exponential")
    timeout = timedelta(seconds=30)

    async def execute(self, ctx: StepContext) -> Mapping[str, Any] | Suspend:
        """Return data alone, suspend, or fail for good."""
        if "card" not in ctx.initial:
            raise Fatal("no card")
        if ctx.config.get("later"):
            return Suspend(timeout=timedelta(hours=1))
        assert_type(ctx.idempotency_key, str)
        return {"items": ctx[validate]["items"]}


@dataclass
class Item:
    """What the initial data of a workflow are declared to be."""

    name: str
    pieces: int = 1


@step
async def pick(ctx: StepContext) -> Mapping[str, Any]:
    """See the initial data as their type, which the step knows and `ctx` does not."""
    item: Item = ctx.input
    assert_type(item.pieces, int)
    return {"picked": item.name}


class Picking(Workflow, unique="item", input=Item):
    """Declare the type of the initial data."""

    start_step = pick
    transitions = {pick: {"done": Done}}


def branch(ctx: StepContext) -> Any:
    """Pick among the declared targets."""
    return Charge if ctx.attempt == 1 else approve


paid = WaitForEvent("paid", timeout=timedelta(days=3))
cooled = Wait(timedelta(minutes=5), key="cooled")


class Order(
    Workflow,
    unique=Unique("order", scope="global"),
    tags=["orders"],
    metadata={"team": "payments"},
    retry=Retry(max_attempts=2),
):
    """Use a target of every kind."""

    start_step = validate
    transitions = {  # as users write it
        validate: {"valid": Choose(branch, [Charge, approve]), "invalid": Done},
        approve: {"done": cooled},
        Charge: {"charged": paid, "timeout": cooled},
        paid: {"received": cooled, "timeout": cooled},
        cooled: {"timeout": Done},
    }


async def use() -> None:
    """Call what users call, and keep what they get."""
    async with Hephaestus(MemoryStorage(), LocalRunner(concurrency=4), name="shop") as app:
        assert_type(app, Hephaestus)
        order = await Order.start("42", {"items": 3}, telemetry_metadata={"trace": "1"})
        assert_type(order, Handle)
        assert_type(order.id, str)
        assert_type(order.run_id, str)
        assert_type(await order.wait(timeout=timedelta(seconds=1)), Instance)
        assert_type(await order.wait(timeout=1), Instance)
        assert_type(await Order.get("42"), Instance)
        assert_type(await Order.list(status="running", limit=10), list[Instance])
        await Picking.start("1", Item("nail"))
        await Picking.start("2", {"name": "nail"})
        await Order.resume("42", "paid", {"receipt": "r-1"}, dedup_key="r-1")
        await Order.cancel("42")
        await Order.retry("42")
        assert_type(await app.start_instance(Order, {}, id="order::43"), Handle)
        assert_type(await app.query(workflow=Order), list[Instance])
        assert_type(await app.count(workflow=Order), int)
        history: Sequence[Entry] = await app.history("order::42")
        assert_type(history[0].attempt, int | None)


def block() -> None:
    """Call the same verbs without `await`."""
    with BlockingHephaestus(Hephaestus, timeout=timedelta(seconds=5)) as door:
        order = door.start(Order, "42", {"items": 3})
        assert_type(order, BlockingHandle)
        assert_type(order.wait(timeout=1), Instance)
        assert_type(door.get("order::42"), Instance)
        assert_type(door.run(Order.get("42")), Instance)
        assert_type(door.query(workflow=Order), list[Instance])
        assert_type(order.history(), list[Entry])
        door.resume("order::42", "paid", {"receipt": "r-1"}, dedup_key="r-1")

"""The world outside: customers who pay or cancel, a manager who approves, a carrier's mechanic."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

from demo import services
from demo.endings import TOO_LARGE
from demo.orders import Order
from demo.workflow import OrderFlow
from hephaestus import Handle, Instance, InstanceFinished

ARRIVAL = 4.0
"""Seconds over which a thousand orders arrive."""

DELAY = 0.4
"""Seconds for which a late payer hesitates, once asked."""

BROKEN = "Boreas"
"""The carrier that is down until everything else has ended."""

ENDED: Final = ("completed", "failed", "cancelled")


async def fulfil(orders: Sequence[Order]) -> list[Instance]:
    """Start a run for each order, act for everyone outside, and return the runs as they ended."""
    services.break_down(BROKEN)
    async with asyncio.TaskGroup() as outside:
        manager = outside.create_task(answer_questions())
        runs = await take_orders(orders, outside)
        await all_ended(runs)
        services.repair(BROKEN)
        await take_up_again()
        ended = await all_ended(runs)
        manager.cancel()
    return ended


async def take_orders(orders: Sequence[Order], outside: asyncio.TaskGroup) -> list[Handle]:
    """Start the runs as the orders come in, and send their customers off."""
    pace = ARRIVAL / max(1000, len(orders))
    opened = asyncio.get_running_loop().time()
    runs = []
    for number, order in enumerate(orders):
        run = await OrderFlow.start(order.id, order)
        outside.create_task(act_for_customer(order, run))
        runs.append(run)
        elapsed = asyncio.get_running_loop().time() - opened
        await asyncio.sleep(max(0, number * pace - elapsed))
    return runs


async def act_for_customer(order: Order, run: Handle) -> None:
    """Pay or cancel, as the customer intends to."""
    payment = {"cents": order.cents, "receipt": f"receipt-{order.id}"}
    with suppress(InstanceFinished):  # the shop was faster: it refused the order
        match order.intent:
            case "pay":
                # The run does not ask yet, so it keeps the event.
                await run.resume("paid", payment)
            case "pay late":
                await run.wait(until=("waiting", *ENDED))
                await asyncio.sleep(DELAY)
                await run.resume("paid", payment)
            case "cancel":
                await run.wait(until=("waiting", *ENDED))
                await run.cancel()


async def answer_questions() -> None:
    """Answer the runs that have halted, for ever."""
    while True:
        for run in await OrderFlow.list(status="halted", order="oldest"):
            question = run.halt_data or {}
            answer = "declined" if question["cents"] >= TOO_LARGE else "approved"
            # Said twice, it counts once.
            await OrderFlow.resume(run.context.initial["id"], answer, dedup_key="answer")
        await asyncio.sleep(0.2)


async def take_up_again() -> None:
    """Retry what failed because of the broken carrier; other failures need another remedy."""
    for run in await OrderFlow.list(status="failed", order="oldest"):
        if run.error is not None and run.error.type == "CarrierDown":
            await OrderFlow.retry(run.context.initial["id"])
            await asyncio.sleep(0.01)


async def all_ended(runs: Sequence[Handle]) -> list[Instance]:
    """Return the runs once each has ended, one way or another."""
    return [await run.wait(until=ENDED) for run in runs]

"""A workflow that asks a storage for most of what it can do."""

from datetime import timedelta
from typing import Any

from hephaestus import Done, Hephaestus, Retry, Wait, WaitForEvent, Workflow, step
from hephaestus_postgres import PostgresStorage


@step(retry=Retry(max_attempts=2, initial_delay=timedelta(0), jitter=False))
async def charge(ctx: Any) -> dict[str, Any]:
    if ctx.attempt == 1:
        raise ConnectionError("the bank is busy")
    return {"amount": 42}


pause = Wait(timedelta(milliseconds=1), key="pause")
paid = WaitForEvent("paid")


class OrderFlow(Workflow, unique="orderid", name="migrations.OrderFlow"):
    start_step = charge
    transitions = {
        charge: {"done": pause},
        pause: {"timeout": paid},
        paid: {"received": Done},
    }


COMPLETED = ["charge", "pause", "paid", "done"]
"""The steps of an order, in the order in which they end."""


async def run_through(storage: PostgresStorage) -> list[str]:
    """Run an order to its end, find it, delete it, and return the steps that it completed."""
    async with Hephaestus(storage) as app:
        order = await OrderFlow.start("1", {"items": 3})
        await OrderFlow.resume("1", "paid", {"receipt": "r-1"})
        ended = await order.wait(timeout=30)
        (found,) = await app.query(workflow=OrderFlow, context={"initial": {"items": 3}})
        is_deleted = await app.storage.delete(order.id)
        assert ("completed", ended.run_id, True) == (ended.status, found.run_id, is_deleted)
        lines = ended.execution_history
        return [str(line.step) for line in lines if line.action == "completed"]

"""An order: reserved, paid for through a payment provider, shipped, or given up."""

from dataclasses import dataclass
from datetime import timedelta

from hephaestus import Done, StepContext, WaitForEvent, Workflow, step


@dataclass
class OrderInput:
    """What an order begins with."""

    item: str
    quantity: int = 1


@step
async def reserve(ctx: StepContext) -> dict[str, object]:
    order: OrderInput = ctx.input
    return {"reserved": order.quantity, "price": order.quantity * 12}


paid = WaitForEvent("paid", timeout=timedelta(days=3))


@step
async def ship(ctx: StepContext) -> dict[str, object]:
    # The carrier knows a repeated request by this key.
    return {"parcel": ctx.idempotency_key, "receipt": ctx[paid]["receipt"]}


@step
async def release(ctx: StepContext) -> dict[str, object]:
    return {"released": ctx[reserve]["reserved"]}


class Order(Workflow, unique="orderid", input=OrderInput, tags=["orders"]):
    """From the basket to the parcel."""

    start_step = reserve
    transitions = {
        reserve: {"done": paid},
        paid: {"received": ship, "timeout": release},
        ship: {"done": Done},
        release: {"done": Done},
    }

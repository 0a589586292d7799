"""An order whose parts are built on different workers."""

from typing import Any

from hephaestus import Done, Retry, StepContext, Workflow, step


@step
async def reserve(ctx: StepContext) -> dict[str, Any]:
    return {"reserved": ctx.initial["items"]}


@step(retry=Retry(max_attempts=8), timeout=30)
def charge(ctx: StepContext) -> dict[str, Any]:  # on the queue "payments"
    return {"amount": ctx[reserve]["reserved"] * 10, "key": ctx.idempotency_key}


@step
def pack(ctx: StepContext) -> dict[str, Any]:
    return {"boxes": -(-ctx[reserve]["reserved"] // 4)}


@step
async def ship(ctx: StepContext) -> dict[str, Any]:
    return {"boxes": ctx[pack]["boxes"], "paid": ctx[charge]["amount"]}


class Order(Workflow, unique="orderid", tags=["shop"], metadata={"team": "sales"}):
    """Charged while it is packed."""

    start_step = reserve
    transitions = {
        reserve: {"done": [charge, pack]},
        charge: {"done": ship},
        pack: {"done": ship},
        ship: {"done": Done},
    }

"""An application's workflow file: it knows no storage and no runner."""

from datetime import timedelta
from typing import Any

from hephaestus import (
    Done,
    Halt,
    Retry,
    StepContext,
    Wait,
    WaitForEvent,
    Workflow,
    step,
)

SOON = timedelta(seconds=0.2)


@step(events=("valid", "invalid"))
async def validate(ctx: StepContext) -> Any:
    if ctx.initial["items"] < 1:
        return "invalid"
    return "valid", {"items": ctx.initial["items"], "at": ctx.initial["at"]}


@step(retry=Retry(3, initial_delay=0.01))
async def reserve(ctx: StepContext) -> dict[str, Any]:
    if ctx.attempt < 2:
        raise ConnectionError("the warehouse hung up")
    return {"shelf": 7, "until": ctx[validate]["at"] + timedelta(days=1)}


@step
def price(ctx: StepContext) -> dict[str, int]:
    return {"cents": ctx[validate]["items"] * 490}


paid = WaitForEvent("paid", timeout=timedelta(days=3))


@step
async def pack(ctx: StepContext) -> dict[str, Any]:
    return {"shelf": ctx[reserve]["shelf"], "receipt": ctx[paid]["receipt"]}


@step(events=("approved", "refused"))
async def approve(ctx: StepContext) -> Halt:
    return Halt({"cents": ctx[price]["cents"]}, prompt="send it?", resume_to="approved")


rest = Wait(SOON, key="rest")


@step
async def ship(ctx: StepContext) -> dict[str, Any]:
    return {"receipt": ctx[pack]["receipt"], "carrier": ctx.config["carrier"]}


class Order(Workflow, unique="order", tags=["shop"], metadata={"team": "sales"}):
    start_step = validate
    transitions = {
        validate: {"valid": [reserve, price], "invalid": Done},
        reserve: {"done": paid},
        price: {"done": paid},
        paid: {"received": pack, "timeout": Done},
        pack: {"done": approve},
        approve: {"approved": rest, "refused": Done},
        rest: {"timeout": ship.using(carrier="post")},
        ship: {"done": Done},
    }

"""Whole workflows, told as stories."""

from typing import Any

import pytest

from hephaestus import (
    AlreadyRunning,
    Done,
    Halt,
    Hephaestus,
    InstanceFinished,
    Retry,
    StepContext,
    WaitForEvent,
    Workflow,
    step,
)

PATIENCE = 10
"""Seconds that no journey takes unless it fails."""


@step(events=("small", "large"))
async def look(ctx: StepContext) -> Any:
    return "large" if ctx.initial["cents"] > 10_000 else "small"


@step(events=("approved", "refused"))
async def ask(ctx: StepContext) -> Halt:
    return Halt({"cents": ctx.initial["cents"]}, prompt="pay it?", resume_to="approved")


@step(retry=Retry(3, initial_delay=0.01))
async def reserve(ctx: StepContext) -> dict[str, int]:
    if ctx.attempt < ctx.initial.get("good_from", 1):
        raise ConnectionError("the warehouse hung up")
    return {"shelf": 7}


@step
def price(ctx: StepContext) -> dict[str, int]:
    return {"total": ctx.initial["cents"] + 490}


paid = WaitForEvent("paid")


@step
async def ship(ctx: StepContext) -> dict[str, Any]:
    return {"shelf": ctx[reserve]["shelf"], "receipt": ctx[paid]["receipt"]}


class Purchase(Workflow, unique="purchase", tags=["shop"]):
    start_step = look
    transitions = {
        look: {"small": [reserve, price], "large": ask},
        ask: {"approved": [reserve, price], "refused": Done},
        reserve: {"done": paid},
        price: {"done": paid},
        paid: {"received": ship},
        ship: {"done": Done},
    }


async def test_a_small_purchase_is_paid_early_and_shipped(stack: Hephaestus) -> None:
    purchase = await Purchase.start("1", {"cents": 500, "good_from": 3})
    await Purchase.resume("1", "paid", {"receipt": "r-1"}, dedup_key="click")
    await Purchase.resume("1", "paid", {"receipt": "r-2"}, dedup_key="click")

    result = await purchase.result(PATIENCE)

    history = await purchase.history()
    assert {"shelf": 7, "receipt": "r-1"} == result
    assert ["failed", "failed", "completed"] == [e.action for e in history if e.step == "reserve"]
    assert ["skipped"] == [entry.action for entry in history if entry.step == "ask"]


async def test_a_large_purchase_waits_for_its_manager(stack: Hephaestus) -> None:
    purchase = await Purchase.start("2", {"cents": 50_000})
    halted = await purchase.wait(PATIENCE)
    await purchase.resume()
    await purchase.wait(PATIENCE, until="waiting")
    await purchase.resume("paid", {"receipt": "r-3"})

    instance = await purchase.wait(PATIENCE)

    assert ("halted", {"cents": 50_000}) == (halted.status, halted.halt_data)
    assert ("completed", "r-3") == (instance.status, instance.context.steps["ship"]["receipt"])


async def test_a_purchase_fails_is_taken_up_again_and_is_cancelled(stack: Hephaestus) -> None:
    purchase = await Purchase.start("3", {"cents": 500, "good_from": 4})
    failed = await purchase.wait(PATIENCE)
    await purchase.retry()
    waiting = await purchase.wait(PATIENCE, until="waiting")
    with pytest.raises(AlreadyRunning):
        await Purchase.start("3", {"cents": 1})
    await purchase.cancel()

    with pytest.raises(InstanceFinished):
        await purchase.resume("paid", {"receipt": "late"})

    again = await Purchase.start("3", {"cents": 500})
    assert ("failed", "reserve") == (failed.status, failed.recover_to)
    assert failed.run_id == waiting.run_id != again.run_id
    assert "cancelled" == (await purchase.get()).status
    await again.cancel()

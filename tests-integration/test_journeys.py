"""Whole workflows, told as stories."""

from typing import Any

import pytest

from hephaestus import (
    AlreadyRunning,
    Choose,
    Done,
    Halt,
    Hephaestus,
    InstanceFinished,
    Retry,
    StepContext,
    Wait,
    WaitForEvent,
    Workflow,
    step,
)

PATIENCE = 30
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


@step
async def gather(ctx: StepContext) -> dict[str, Any]:
    return {"places": ctx.initial["places"]}


@step
async def sail(ctx: StepContext) -> dict[str, str]:
    return {"by": "sea"}


@step
def drive(ctx: StepContext) -> dict[str, str]:
    return {"by": ctx.config["road"]}


@step
async def walk(ctx: StepContext) -> dict[str, str]:
    return {"by": "foot"}


@step
async def report(ctx: StepContext) -> dict[str, list[str]]:
    return {"by": sorted(ctx.steps[key]["by"] for key in ctx.steps if key != "gather")}


def wanted(ctx: StepContext) -> list[Any]:
    ways = {"sea": sail, "road": drive.using(road="A1"), "foot": walk}
    return [ways[place] for place in ctx[gather]["places"]]


class Expedition(Workflow, unique="expedition"):
    start_step = gather
    transitions = {
        gather: {"done": Choose(wanted, [sail, drive.using(road="A1"), walk])},
        sail: {"done": report},
        drive: {"done": report},
        walk: {"done": report},
        report: {"done": Done},
    }


@pytest.mark.parametrize("places", [["sea"], ["road", "foot"], ["sea", "road", "foot"]])
async def test_an_expedition_takes_the_ways_that_it_has_chosen(
    stack: Hephaestus, places: list[str]
) -> None:
    expedition = await Expedition.start("1", {"places": places})

    instance = await expedition.wait(PATIENCE)

    ways = {"sea": "sea", "road": "A1", "foot": "foot"}
    assert {"by": sorted(ways[place] for place in places)} == instance.result
    assert 3 - len(places) == len(instance.skipped_steps)


trial = Wait(0.05, key="trial")
renewed = WaitForEvent("renewed", timeout=0.05)
confirmed = WaitForEvent("confirmed", timeout=3600)


@step
async def remind(ctx: StepContext) -> None:
    """Send a letter."""


class Subscription(Workflow, unique="subscription"):
    start_step = trial
    transitions = {
        trial: {"timeout": renewed},
        renewed: {"received": Done, "timeout": remind},
        remind: {"done": confirmed},
        confirmed: {"received": Done, "timeout": Done},
    }


async def test_a_subscription_that_nobody_renews_in_time_is_confirmed_after_a_reminder(
    stack: Hephaestus,
) -> None:
    subscription = await Subscription.start("1")
    await subscription.resume("confirmed", {"early": True})

    instance = await subscription.wait(PATIENCE, until="completed")

    story = [(e.step, e.action) for e in instance.execution_history if e.action != "suspended"]
    assert {"early": True} == instance.result
    assert ["trial", "renewed", "remind", "confirmed", "done"] == list(
        dict.fromkeys(step for step, _ in story)
    )


class Parcel(Workflow, unique="parcel", current=2):
    """An umbrella; the runs of its first version go on beside those of the second."""

    class V1(Workflow, version=1):
        start_step = confirmed
        transitions = {confirmed: {"received": Done, "timeout": Done}}

    class V2(Workflow, version=2):
        start_step = gather
        transitions = {
            gather: {"done": confirmed},
            confirmed: {"received": walk, "timeout": Done},
            walk: {"done": Done},
        }


async def test_runs_of_two_versions_go_on_side_by_side(stack: Hephaestus) -> None:
    old = await Parcel.start("1", {"places": []}, version=1)
    new = await Parcel.start("2", {"places": []})
    await old.resume("confirmed", {"by": "old"})
    await new.resume("confirmed", {"by": "new"})

    instances = [await run.wait(PATIENCE, until="completed") for run in (old, new)]

    assert [(1, {"by": "old"}), (2, {"by": "foot"})] == [
        (instance.workflow_version, instance.result) for instance in instances
    ]

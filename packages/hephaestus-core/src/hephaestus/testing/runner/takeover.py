"""What a dead process leaves, and who takes it over."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

from hephaestus.app import Hephaestus
from hephaestus.message import EventPosted, Message
from hephaestus.steps import StepContext
from hephaestus.storage import Lease, Owner, Storage
from hephaestus.testing.runner.ahead import LONG, AheadClock
from hephaestus.testing.runner.apps import Apps, OpenApp
from hephaestus.testing.runner.outage import Outage
from hephaestus.testing.runner.stage import PATIENCE, Stage, eventually, hanging_once
from hephaestus.testing.runner.workflows import Bill, Errand, Export, Order, Parcel, parts

SHORT = 0.15
"""Seconds of a lease that a test waits for, and nobody renews."""


async def _die(app: Hephaestus, outage: Outage) -> None:
    """End an app as a crash does: without a word to the storage."""
    outage.begin()
    await app.close()


class TakeOver(Apps):
    """Leases of the dead run out, or are taken by the next incarnation at once."""

    async def test_a_step_of_a_dead_app_is_executed_again_as_a_new_attempt(
        self, open_app: OpenApp, stage: Stage, storage: Storage
    ) -> None:
        stage.direct("charge", hanging_once(stage, "charge"))
        outage = Outage(storage)
        app = await open_app(storage=outage.storage, lease=LONG, grace=0)
        order = await app.start_instance(Order, stage.initial(), id="order::1")
        await stage.reached("charge hangs")

        await _die(app, outage)
        other = await open_app(clock=AheadClock(LONG))
        instance = await other.wait(order.run_id, PATIENCE)

        assert "completed" == instance.status
        assert {"attempt": 2} == instance.context.steps["charge"]
        assert (1, 2, 1) == tuple(stage.count(step) for step in ("validate", "charge", "ship"))
        assert 1 == [entry.action for entry in instance.execution_history].count("lost")

    async def test_a_running_app_takes_over_from_a_dead_one(
        self, open_app: OpenApp, stage: Stage, storage: Storage
    ) -> None:
        stage.direct("run_errand", hanging_once(stage, "run_errand"))
        outage = Outage(storage)
        clock = AheadClock()
        app = await open_app(storage=outage.storage, lease=LONG, grace=0)
        errand = await app.start_instance(Errand, stage.initial(), id="errand::1")
        await stage.reached("run_errand hangs")
        other = await open_app(clock=clock)

        await _die(app, outage)
        clock.put_forward(LONG)

        assert {"attempt": 2} == (await other.wait(errand.run_id, PATIENCE)).result

    async def test_the_join_of_a_dead_app_is_made_by_another(
        self, open_app: OpenApp, stage: Stage, storage: Storage
    ) -> None:
        for step in parts[::2]:
            stage.direct(step.key, hanging_once(stage, step.key))
        outage = Outage(storage)
        app = await open_app(storage=outage.storage, lease=LONG, grace=0)
        export = await app.start_instance(Export, stage.initial(), id="export::1")
        for step in parts[1::2]:
            await stage.reached(step.key)
        for step in parts[::2]:
            await stage.reached(f"{step.key} hangs")

        await _die(app, outage)
        other = await open_app(clock=AheadClock(LONG))
        instance = await other.wait(export.run_id, PATIENCE)

        assert "completed" == instance.status
        assert 1 == stage.count("collect")
        completed = [e.step for e in instance.execution_history if e.action == "completed"]
        assert len(completed) == len(set(completed)) == len(parts) + 3

    async def test_a_living_app_keeps_its_steps_by_renewing(
        self, open_app: OpenApp, stage: Stage, storage: Storage
    ) -> None:
        stage.direct("send_bill", lambda _: stage.reached("go"))
        clock, living, other = AheadClock(), Outage(storage), Outage(storage)
        app = await open_app(storage=living.storage, lease=LONG, clock=clock)
        bill = await app.start_instance(Bill, stage.initial(), id="bill::1")
        await stage.reached("send_bill")
        await open_app(storage=other.storage, clock=clock)

        for _ in range(4):
            await living.goes_on("renew")
            clock.put_forward(LONG / 2)
            await other.goes_on("due")
        stage.mark("go")
        instance = await bill.wait(PATIENCE, until="waiting")

        assert 1 == stage.count("send_bill")
        assert "lost" not in [entry.action for entry in instance.execution_history]
        await bill.cancel()

    async def test_what_a_dead_app_has_posted_to_a_run_that_ended_is_dropped(
        self, open_app: OpenApp, stage: Stage, storage: Storage
    ) -> None:
        app = await open_app()
        errand = await app.start_instance(Errand, stage.initial(), id="errand::1")
        await errand.wait(PATIENCE)
        body = EventPosted(step="run_errand", event="done")

        async def is_read() -> bool:
            return not (await storage.load(errand.run_id)).inbox

        await storage.post(Message(id="late", run_id=errand.run_id, body=body, dedup_key="late"))
        await eventually(is_read)
        instance = await errand.get()

        assert "completed" == instance.status
        assert "dropped" == instance.execution_history[-1].action

    async def test_the_next_incarnation_of_a_worker_takes_over_at_once(
        self, open_app: OpenApp, stage: Stage, storage: Storage
    ) -> None:
        stage.direct("run_errand", hanging_once(stage, "run_errand"))
        outage = Outage(storage)
        app = await open_app(storage=outage.storage, lease=3600, grace=0, name="worker-1")
        errand = await app.start_instance(Errand, stage.initial(), id="errand::1")
        await stage.reached("run_errand hangs")

        await _die(app, outage)
        other = await open_app(name="worker-1")
        instance = await other.wait(errand.run_id, PATIENCE / 5)

        assert {"attempt": 2} == instance.result

    async def test_another_worker_waits_for_the_lease_to_end(
        self, open_app: OpenApp, stage: Stage, storage: Storage
    ) -> None:
        stage.direct("run_errand", hanging_once(stage, "run_errand"))
        outage = Outage(storage)
        app = await open_app(storage=outage.storage, lease=3600, grace=0, name="worker-1")
        errand = await app.start_instance(Errand, stage.initial(), id="errand::1")
        await stage.reached("run_errand hangs")

        await _die(app, outage)
        other = await open_app(name="worker-2")
        later = await other.start_instance(Parcel, stage.initial(), id="parcel::1")
        await later.wait(PATIENCE)
        instance = await other.get(errand.run_id)
        await other.cancel(errand.run_id)

        assert ("running", frozenset({"run_errand"})) == (instance.status, instance.active_steps)
        assert 1 == stage.count("run_errand")

    async def test_the_outcome_of_one_who_was_taken_for_dead_is_dropped(
        self, open_app: OpenApp, stage: Stage, storage: Storage
    ) -> None:
        async def dawdle(ctx: StepContext) -> dict[str, Any]:
            if ctx.attempt == 1:
                try:
                    await stage.reached("never")
                except asyncio.CancelledError:
                    stage.mark("late")
            return {"attempt": ctx.attempt}

        stage.direct("charge", dawdle)
        outage = Outage(storage)
        # It has no room for the next attempt, so that another has to make it.
        app = await open_app(storage=outage.storage, lease=LONG, concurrency=1, clock=AheadClock())
        order = await app.start_instance(Order, stage.initial(), id="order::1")
        await stage.reached("charge")
        for verb in ("renew", "due"):
            outage.fail(verb, times=10_000)

        other = await open_app(clock=AheadClock(LONG))
        instance = await other.wait(order.run_id, PATIENCE)
        outage.end()
        await stage.reached("late")
        after = await order.get()

        assert {"attempt": 2} == instance.context.steps["charge"]
        assert ("completed", instance.result) == (after.status, after.result)
        assert 1 == stage.count("ship")

    async def test_a_lease_of_a_stranger_is_respected_until_it_ends(
        self, open_app: OpenApp, stage: Stage, storage: Storage
    ) -> None:
        stage.direct("run_errand", lambda ctx: {"attempt": ctx.attempt})
        starter = await open_app(concurrency=1)
        stage.direct("send_bill", lambda _: stage.reached("go"))
        bill = await starter.start_instance(Bill, stage.initial(), id="bill::1")
        await stage.reached("send_bill")
        errand = await starter.start_instance(Errand, stage.initial(), id="errand::1")
        now = datetime.now(UTC)
        until = now + timedelta(seconds=SHORT)
        stranger = Lease(
            run_id=errand.run_id, step="run_errand", attempt=1, owner=Owner("stranger"), until=until
        )

        claimed = await storage.claim(stranger, now, results=())
        stage.mark("go")
        instance = await errand.wait(PATIENCE)
        await bill.cancel()

        assert claimed is not None
        assert {"attempt": 2} == instance.result
        lost, completed, _ = instance.execution_history
        assert ("lost", "completed") == (lost.action, completed.action)
        assert lost.timestamp >= until

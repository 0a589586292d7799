"""Apps that close, and what they give back."""

import asyncio
import itertools
from typing import Any

from hephaestus.outcome import Suspend
from hephaestus.steps import StepContext
from hephaestus.testing.runner.apps import Apps, OpenApp
from hephaestus.testing.runner.stage import PATIENCE, Stage, hanging_once
from hephaestus.testing.runner.workflows import (
    Bill,
    Computation,
    Errand,
    Export,
    Order,
    Reminder,
    parts,
)

AT_ONCE = 8.0
"""Seconds; much less than any lease of these tests."""


class Closing(Apps):
    """What runs may end in the grace period; the rest is given back, and nothing is lost."""

    async def test_a_running_step_ends_in_the_grace_period(
        self, open_app: OpenApp, stage: Stage
    ) -> None:
        stage.direct("validate", lambda _: stage.reached("go"))
        app = await open_app()
        order = await app.start_instance(Order, stage.initial(), id="order::1")
        await stage.reached("validate")

        closing = asyncio.create_task(app.close())
        stage.mark("go")
        await closing
        other = await open_app()
        instance = await other.wait(order.run_id, PATIENCE)

        assert "completed" == instance.status
        assert 1 == stage.count("validate")
        assert {1} == {entry.attempt for entry in instance.execution_history}

    async def test_a_step_beyond_the_grace_period_is_taken_over_at_the_same_attempt(
        self, open_app: OpenApp, stage: Stage
    ) -> None:
        stage.direct("run_errand", hanging_once(stage, "run_errand"))
        app = await open_app(grace=0, lease=3600)
        errand = await app.start_instance(Errand, stage.initial(), id="errand::1")
        await stage.reached("run_errand hangs")

        await app.close()
        other = await open_app()
        instance = await other.wait(errand.run_id, AT_ONCE)

        assert {"attempt": 1} == instance.result
        assert 2 == stage.count("run_errand")
        assert "lost" not in [entry.action for entry in instance.execution_history]

    async def test_a_plain_step_beyond_the_grace_period_is_taken_over(
        self, open_app: OpenApp, stage: Stage
    ) -> None:
        calls = itertools.count(1)

        def hang_at_first(_: StepContext) -> None:
            if next(calls) == 1:
                stage.mark("hangs")
                stage.reached_in_thread("go")
                stage.mark("ran out")

        stage.direct("compute", hang_at_first)
        app = await open_app(grace=0, lease=3600)
        run = await app.start_instance(Computation, stage.initial(), id="computation::1")
        await stage.reached("hangs")

        await app.close()
        other = await open_app()
        instance = await other.wait(run.run_id, AT_ONCE)
        stage.mark("go")
        await stage.reached("ran out")

        assert "completed" == instance.status
        assert 2 == stage.count("compute")

    async def test_an_app_takes_over_while_the_other_one_closes(
        self, open_app: OpenApp, stage: Stage
    ) -> None:
        stage.direct("run_errand", hanging_once(stage, "run_errand"))
        app = await open_app(grace=0, lease=3600)
        errand = await app.start_instance(Errand, stage.initial(), id="errand::1")
        await stage.reached("run_errand hangs")
        other = await open_app()

        await app.close()

        assert "completed" == (await other.wait(errand.run_id, AT_ONCE)).status

    async def test_steps_without_room_are_taken_over_as_well(
        self, open_app: OpenApp, stage: Stage
    ) -> None:
        calls = itertools.count(1)

        async def hang_at_first(_: StepContext) -> None:
            if next(calls) <= 2:
                stage.mark("hangs")
                await stage.reached("never")

        for step in parts:
            stage.direct(step.key, hang_at_first)
        app = await open_app(grace=0, lease=3600, concurrency=2)
        export = await app.start_instance(Export, stage.initial(), id="export::1")
        await stage.reached("hangs", times=2)
        # Others have looked for what is due, and found what there is no room for.
        reminder = await app.start_instance(Reminder, stage.initial(), id="reminder::1")
        await reminder.wait(PATIENCE, until="running")

        await app.close()
        other = await open_app()
        instance = await other.wait(export.run_id, AT_ONCE)

        assert "completed" == instance.status

    async def test_a_step_that_came_late_to_its_room_is_taken_over(
        self, open_app: OpenApp, stage: Stage
    ) -> None:
        stage.direct("send_bill", lambda _: stage.reached("go"))
        stage.direct("run_errand", hanging_once(stage, "run_errand"))
        app = await open_app(grace=0, lease=3600, concurrency=1)
        bill = await app.start_instance(Bill, stage.initial(), id="bill::1")
        await stage.reached("send_bill")
        errand = await app.start_instance(Errand, stage.initial(), id="errand::1")
        reminder = await app.start_instance(Reminder, stage.initial(), id="reminder::1")
        await reminder.wait(PATIENCE, until="running")
        stage.mark("go")
        await stage.reached("run_errand hangs")

        await app.close()
        other = await open_app()
        instance = await other.wait(errand.run_id, AT_ONCE)
        await other.cancel(bill.run_id)

        assert "completed" == instance.status

    async def test_a_step_in_its_grace_period_can_still_use_the_app(
        self, open_app: OpenApp, stage: Stage
    ) -> None:
        async def delegate(_: StepContext) -> dict[str, Any]:
            await stage.reached("go")
            errand = await Errand.start("1", stage.initial())
            return {"run_id": errand.run_id}

        stage.direct("validate", delegate)
        app = await open_app()
        order = await app.start_instance(Order, stage.initial(), id="order::1")
        await stage.reached("validate")

        closing = asyncio.create_task(app.close())
        # The app closes as far as it can before the step goes on.
        await asyncio.sleep(0)
        stage.mark("go")
        await closing
        other = await open_app()
        instance = await other.wait(order.run_id, PATIENCE)
        errand = await other.wait(instance.context.steps["validate"]["run_id"], PATIENCE)

        assert ("completed", "completed") == (instance.status, errand.status)
        assert 1 == stage.count("validate")

    async def test_what_waits_waits_for_the_next_app(self, open_app: OpenApp, stage: Stage) -> None:
        stage.direct("dial", lambda _: Suspend())
        app = await open_app()
        bill = await app.start_instance(Bill, stage.initial(), id="bill::1")
        reminder = await app.start_instance(Reminder, stage.initial(), id="reminder::1")
        await bill.wait(PATIENCE, until="waiting")

        await app.close()
        other = await open_app()
        rung = await other.wait(reminder.run_id, PATIENCE, until="completed")
        await other.resume("bill::1", "paid", {"receipt": "r-1"})
        paid = await other.wait(bill.run_id, PATIENCE, until="completed")

        assert {"ring"} < rung.completed_steps
        assert {"receipt": "r-1"} == paid.context.steps["paid"]

    async def test_closing_twice_is_closing_once(self, open_app: OpenApp) -> None:
        app = await open_app()

        await app.close()
        await app.close()

    async def test_an_app_can_be_opened_again(self, open_app: OpenApp, stage: Stage) -> None:
        app = await open_app()

        await app.close()
        await app.open()
        errand = await Errand.start("1", stage.initial())

        assert {} == await errand.result(PATIENCE)

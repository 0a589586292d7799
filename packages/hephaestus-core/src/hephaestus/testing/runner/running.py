"""How runs go from step to step."""

import asyncio
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from hephaestus.handle import Handle
from hephaestus.steps import StepContext
from hephaestus.testing.runner.apps import Apps, OpenApp
from hephaestus.testing.runner.stage import PATIENCE, Stage
from hephaestus.testing.runner.workflows import (
    WIDTH,
    Errand,
    Export,
    Journey,
    Order,
    Parcel,
    Review,
    validate,
)

MANY = 1000


class Running(Apps):
    """Lines, branches, fan-outs and joins; what steps see, and what is kept of them."""

    async def test_a_line_of_steps_runs_to_its_end(self, open_app: OpenApp, stage: Stage) -> None:
        stage.direct("validate", lambda _: {"items": 3})
        stage.direct("charge", lambda ctx: {"amount": ctx[validate]["items"] * 10})
        await open_app()

        order = await Order.start("1", stage.initial(customer="ann"))
        instance = await order.wait(PATIENCE)

        assert ["validate", "charge", "ship"] == stage.order
        assert "completed" == instance.status
        assert {"validate", "charge", "ship", "done"} == instance.completed_steps
        assert {"items": 3} == instance.context.steps["validate"]
        assert {"amount": 30} == instance.context.steps["charge"]
        assert {} == instance.context.steps["ship"]
        assert frozenset() == instance.active_steps
        assert instance.current_step is None
        assert instance.finished_at is not None
        assert ("orders",) == instance.tags

    async def test_a_start_returns_before_the_steps_have_ended(
        self, open_app: OpenApp, stage: Stage
    ) -> None:
        stage.direct("run_errand", lambda _: stage.reached("go"))
        await open_app()

        errand = await Errand.start("1", stage.initial())
        await stage.reached("run_errand")
        under_way = await errand.get()
        stage.mark("go")
        ended = await errand.wait(PATIENCE)

        assert ("running", frozenset({"run_errand"})) == (under_way.status, under_way.active_steps)
        assert ("errand::1", errand.run_id) == (errand.id, under_way.run_id)
        assert "completed" == ended.status

    async def test_the_result_is_that_of_the_step_before_the_end(
        self, open_app: OpenApp, stage: Stage
    ) -> None:
        stage.direct("ship", lambda _: {"parcel": "p-1"})
        await open_app()

        order = await Order.start("1", stage.initial())
        result = await order.result(PATIENCE)

        assert {"parcel": "p-1"} == result

    async def test_only_the_chosen_branch_runs_and_the_branches_meet_again(
        self, open_app: OpenApp, stage: Stage
    ) -> None:
        stage.direct("decide", lambda _: "rejected")
        await open_app()

        review = await Review.start("1", stage.initial())
        instance = await review.wait(PATIENCE)

        assert ["decide", "reject", "archive"] == stage.order
        assert "completed" == instance.status
        assert {"accept"} == instance.skipped_steps

    async def test_branches_run_at_once_and_join_once(
        self, open_app: OpenApp, stage: Stage
    ) -> None:
        async def meet(ctx: StepContext) -> dict[str, Any]:
            stage.mark("met")
            await stage.reached("met", times=2)
            return {"attempt": ctx.attempt}

        stage.direct("weigh", meet)
        stage.direct("label", meet)
        stage.direct("hand_over", lambda ctx: {"seen": sorted(ctx.steps)})
        await open_app()

        parcel = await Parcel.start("1", stage.initial())
        instance = await parcel.wait(PATIENCE)

        assert "completed" == instance.status
        assert 1 == stage.count("hand_over")
        assert ["label", "pack", "weigh"] == instance.context.steps["hand_over"]["seen"]

    async def test_a_branch_sees_nothing_of_its_sibling(
        self, open_app: OpenApp, stage: Stage
    ) -> None:
        async def look(ctx: StepContext) -> dict[str, Any]:
            await stage.reached("go")
            return {"seen": sorted(ctx.steps)}

        stage.direct("label", look)
        await open_app()

        parcel = await Parcel.start("1", stage.initial())
        await stage.reached("weigh")
        stage.mark("go")
        instance = await parcel.wait(PATIENCE)

        assert {"seen": ["pack"]} == instance.context.steps["label"]

    async def test_a_choice_takes_one_target_or_several(
        self, open_app: OpenApp, stage: Stage
    ) -> None:
        stage.direct("plan", lambda ctx: {"modes": ctx.initial["modes"]})
        await open_app()

        one = await Journey.start("1", stage.initial(modes=["by_road"]))
        both = await Journey.start("2", stage.initial(modes=["by_rail", "by_road"]))
        simple, double = await one.wait(PATIENCE), await both.wait(PATIENCE)

        assert {"plan", "by_road", "arrive", "done"} == simple.completed_steps
        assert {"by_rail"} == simple.skipped_steps
        assert {"plan", "by_rail", "by_road", "arrive", "done"} == double.completed_steps
        assert 2 == stage.count("arrive")

    async def test_a_wrong_choice_fails_the_run_without_another_attempt(
        self, open_app: OpenApp, stage: Stage
    ) -> None:
        stage.direct("plan", lambda _: {"modes": ["by_balloon"]})
        await open_app()

        journey = await Journey.start("1", stage.initial())
        instance = await journey.wait(PATIENCE)

        assert "failed" == instance.status
        assert 1 == stage.count("plan")
        assert instance.error is not None
        assert ("plan", "Fatal") == (instance.error.step, instance.error.type)

    async def test_a_fan_out_of_many_steps_joins(self, open_app: OpenApp, stage: Stage) -> None:
        stage.direct("collect", lambda ctx: {"count": len(ctx.steps)})
        await open_app()

        export = await Export.start("1", stage.initial())
        result = await export.result(PATIENCE)

        assert {"count": WIDTH + 1} == result
        assert 1 == stage.count("collect")

    async def test_config_reaches_the_step_that_its_edge_leads_to(
        self, open_app: OpenApp, stage: Stage
    ) -> None:
        stage.direct("charge", lambda ctx: {"config": ctx.config})
        stage.direct("ship", lambda ctx: {"config": ctx.config})
        await open_app()

        order = await Order.start("1", stage.initial())
        instance = await order.wait(PATIENCE)

        assert {"config": {}} == instance.context.steps["charge"]
        assert {"config": {"carrier": "post"}} == instance.context.steps["ship"]

    async def test_a_step_knows_its_run(self, open_app: OpenApp, stage: Stage) -> None:
        def describe(ctx: StepContext) -> dict[str, Any]:
            run = ctx.instance
            return {
                "id": run.id,
                "run_id": run.run_id,
                "workflow": run.workflow,
                "version": run.workflow_version,
                "tags": run.tags,
                "metadata": run.metadata,
                "telemetry": run.telemetry_metadata,
                "attempt": ctx.attempt,
                "key": ctx.idempotency_key,
                "answer": ctx.answer,
            }

        stage.direct("validate", describe)
        await open_app()

        order = await Order.start("1", stage.initial(), telemetry_metadata={"request": "r-1"})
        instance = await order.wait(PATIENCE)

        assert {
            "id": "order::1",
            "run_id": order.run_id,
            "workflow": Order.name,
            "version": 1,
            "tags": ("orders",),
            "metadata": {"team": "sales"},
            "telemetry": {"request": "r-1"},
            "attempt": 1,
            "key": f"{order.run_id}/validate",
            "answer": None,
        } == instance.context.steps["validate"]

    async def test_data_of_every_kind_reaches_the_next_step_as_it_was(
        self, open_app: OpenApp, stage: Stage
    ) -> None:
        things = {
            "when": datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC),
            "price": Decimal("10.20"),
            "span": timedelta(days=1, microseconds=1),
            "names": {"ann", "bob"},
            "pair": (1, 2.0),
            "raw": b"\x00\xff",
            "$": ["not", "a", "tag"],
        }
        seen: list[object] = []
        stage.direct("validate", lambda _: {"things": things})
        stage.direct("charge", lambda ctx: seen.append(ctx[validate]["things"]))
        await open_app()

        order = await Order.start("1", stage.initial(things=things))
        instance = await order.wait(PATIENCE)

        assert [things] == seen
        assert things == instance.context.initial["things"]
        assert things == instance.context.steps["validate"]["things"]

    async def test_metadata_that_a_step_returns_is_merged_into_the_run(
        self, open_app: OpenApp, stage: Stage
    ) -> None:
        stage.direct("validate", lambda _: ("done", {}, {"region": "eu", "risk": 1}))
        stage.direct("charge", lambda ctx: ("done", ctx.instance.runtime_metadata, {"risk": 2}))
        await open_app()

        order = await Order.start("1", stage.initial())
        instance = await order.wait(PATIENCE)

        assert {"region": "eu", "risk": 1} == instance.context.steps["charge"]
        assert {"region": "eu", "risk": 2} == instance.runtime_metadata

    async def test_a_body_that_changes_what_it_was_given_changes_nothing_else(
        self, open_app: OpenApp, stage: Stage
    ) -> None:
        def spoil(ctx: StepContext) -> None:
            ctx.initial["items"].append("stolen")
            ctx.steps["validate"].clear()
            ctx.config["carrier"] = "pigeon"
            ctx.instance.metadata["team"] = "thieves"

        stage.direct("validate", lambda _: {"valid": True})
        stage.direct("charge", spoil)
        stage.direct("ship", lambda ctx: {"team": ctx.instance.metadata["team"], **ctx.config})
        await open_app()

        order = await Order.start("1", stage.initial(items=["book"]))
        instance = await order.wait(PATIENCE)

        assert ["book"] == instance.context.initial["items"]
        assert {"valid": True} == instance.context.steps["validate"]
        assert {"team": "sales", "carrier": "post"} == instance.context.steps["ship"]

    async def test_the_history_tells_what_happened_once_each(
        self, open_app: OpenApp, stage: Stage
    ) -> None:
        stage.direct("validate", lambda _: {"valid": True})
        await open_app()

        order = await Order.start("1", stage.initial())
        await order.wait(PATIENCE)
        history = await order.history()

        assert [
            ("validate", "completed"),
            ("charge", "completed"),
            ("ship", "completed"),
            ("done", "completed"),
        ] == [(entry.step, entry.action) for entry in history]
        first, _, third, _ = history
        assert (order.run_id, "done", 1) == (first.run_id, first.event, first.attempt)
        assert {"valid": True} == first.output
        assert {"carrier": "post"} == third.input
        assert first.duration is not None
        assert 0 <= first.duration < PATIENCE
        assert first.timestamp <= third.timestamp

    async def test_a_step_starts_other_workflows_through_the_app_that_runs_it(
        self, open_app: OpenApp, stage: Stage
    ) -> None:
        async def delegate(_: StepContext) -> dict[str, Any]:
            errand = await Errand.start("1", stage.initial())
            return {"run_id": errand.run_id}

        stage.direct("validate", delegate)
        app = await open_app()
        await open_app()

        order = await app.start_instance(Order, stage.initial(), id="order::1")
        instance = await order.wait(PATIENCE)
        errand = await app.wait(instance.context.steps["validate"]["run_id"], PATIENCE)

        assert ("completed", "completed") == (instance.status, errand.status)

    async def test_many_runs_finish(self, open_app: OpenApp, stage: Stage) -> None:
        app = await open_app()

        async def go(number: int) -> Handle:
            return await Errand.start(str(number), stage.initial())

        errands = await asyncio.gather(*(go(number) for number in range(MANY)))
        await asyncio.gather(*(errand.result(PATIENCE * 3) for errand in errands))

        assert MANY == await app.count(status="completed")
        assert MANY == stage.count("run_errand")

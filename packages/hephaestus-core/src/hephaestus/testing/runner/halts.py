"""Steps that stop for an answer."""

from typing import Any

import pytest

from hephaestus.errors import AmbiguousEvent, InvalidArgument, UnknownEvent
from hephaestus.outcome import Halt
from hephaestus.steps import StepContext
from hephaestus.testing.runner.apps import Apps, OpenApp
from hephaestus.testing.runner.stage import PATIENCE, Stage, eventually
from hephaestus.testing.runner.workflows import Approval, Deal, Parcel


class Halts(Apps):
    """A halted step goes on with its answer: an event, or another attempt."""

    async def test_a_halt_stops_the_run_and_shows_the_question(
        self, open_app: OpenApp, stage: Stage
    ) -> None:
        stage.direct("ask", lambda _: Halt({"amount": 900}, prompt="Pay this?"))
        await open_app()

        approval = await Approval.start("1", stage.initial())
        instance = await approval.wait(PATIENCE)

        assert "halted" == instance.status
        assert {"amount": 900} == instance.halt_data
        assert ("ask", frozenset({"ask"})) == (instance.current_step, instance.active_steps)
        assert instance.recover_to is None
        await approval.cancel()

    async def test_an_answer_is_an_event_of_the_step(self, open_app: OpenApp, stage: Stage) -> None:
        stage.direct("ask", lambda _: Halt({"amount": 900}))
        await open_app()

        approval = await Approval.start("1", stage.initial())
        await approval.wait(PATIENCE)
        await approval.resume("refused", {"by": "eve"})
        instance = await approval.wait(PATIENCE, until="completed")

        assert "completed" == instance.status
        assert {"by": "eve"} == instance.context.steps["ask"]
        assert ["ask", "apologise"] == stage.order
        assert instance.halt_data is None

    async def test_a_default_answer_needs_no_event(self, open_app: OpenApp, stage: Stage) -> None:
        stage.direct("ask", lambda _: Halt({"amount": 900}, resume_to="approved"))
        await open_app()

        approval = await Approval.start("1", stage.initial())
        halted = await approval.wait(PATIENCE)
        await Approval.resume("1", payload={"by": "bob"})
        instance = await approval.wait(PATIENCE, until="completed")

        assert "approved" == halted.recover_to
        assert {"by": "bob"} == instance.context.steps["ask"]
        assert ["ask", "carry_out"] == stage.order

    async def test_a_default_answer_can_be_overruled(self, open_app: OpenApp, stage: Stage) -> None:
        stage.direct("ask", lambda _: Halt(resume_to="approved"))
        await open_app()

        approval = await Approval.start("1", stage.initial())
        await approval.wait(PATIENCE)
        await approval.resume("refused")
        await approval.wait(PATIENCE, until="completed")

        assert ["ask", "apologise"] == stage.order

    async def test_a_halt_without_a_default_answer_needs_an_event(
        self, open_app: OpenApp, stage: Stage
    ) -> None:
        stage.direct("ask", lambda _: Halt())
        await open_app()

        approval = await Approval.start("1", stage.initial())
        await approval.wait(PATIENCE)
        with pytest.raises(InvalidArgument, match="no halted step with a default answer"):
            await approval.resume()
        with pytest.raises(UnknownEvent):
            await approval.resume("postponed")
        instance = await approval.get()

        assert "halted" == instance.status
        await approval.cancel()

    async def test_an_answer_to_the_step_itself_runs_it_again(
        self, open_app: OpenApp, stage: Stage
    ) -> None:
        def ask(ctx: StepContext) -> object:
            if ctx.answer is None:
                return Halt({"question": "how many?"}, resume_to="ask")
            return "approved", {"attempt": ctx.attempt, **ctx.answer}

        stage.direct("ask", ask)
        await open_app()

        approval = await Approval.start("1", stage.initial())
        await approval.wait(PATIENCE)
        await approval.resume(payload={"count": 3})
        instance = await approval.wait(PATIENCE, until="completed")

        assert {"attempt": 2, "count": 3} == instance.context.steps["ask"]
        assert ["ask", "ask", "carry_out"] == stage.order

    async def test_a_question_can_be_asked_again_and_again(
        self, open_app: OpenApp, stage: Stage
    ) -> None:
        def ask(ctx: StepContext) -> object:
            count = 0 if ctx.answer is None else ctx.answer["count"]
            return "approved" if count == 3 else Halt({"count": count}, resume_to="ask")

        stage.direct("ask", ask)
        await open_app()

        approval = await Approval.start("1", stage.initial())
        asked: list[Any] = []
        for count in range(1, 4):
            asked.append((await approval.wait(PATIENCE, until="halted")).halt_data)
            await approval.resume("ask", {"count": count})
            await stage.reached("ask", times=count + 1)
        instance = await approval.wait(PATIENCE, until="completed")

        assert [{"count": 0}, {"count": 1}, {"count": 2}] == asked
        assert "completed" == instance.status

    async def test_a_halt_that_would_go_on_elsewhere_fails_the_run(
        self, open_app: OpenApp, stage: Stage
    ) -> None:
        stage.direct("ask", lambda _: Halt(resume_to="carry_out"))
        await open_app()

        approval = await Approval.start("1", stage.initial())
        instance = await approval.wait(PATIENCE)

        assert "failed" == instance.status
        assert instance.error is not None
        assert "resume_to='carry_out'" in instance.error.message

    @pytest.mark.parametrize(
        "halt",
        [
            pytest.param({"prompt": 7}, id="no text"),
            pytest.param({"prompt": "\0"}, id="NUL"),
            pytest.param({"data": "how much?"}, id="no mapping"),
            pytest.param({"data": {"when": object()}}, id="no data"),
            pytest.param({"resume_to": ["approved"]}, id="no event"),
        ],
    )
    async def test_a_halt_that_cannot_be_kept_fails_the_run(
        self, open_app: OpenApp, stage: Stage, halt: dict[str, Any]
    ) -> None:
        stage.direct("ask", lambda _: Halt(**halt))
        await open_app()

        approval = await Approval.start("1", stage.initial())
        instance = await approval.wait(PATIENCE)

        assert "failed" == instance.status
        assert instance.error is not None
        assert ("Fatal", 1) == (instance.error.type, instance.error.attempt)
        assert "'ask'" in instance.error.message

    async def test_a_halted_branch_does_not_keep_the_other_one(
        self, open_app: OpenApp, stage: Stage
    ) -> None:
        async def go_on(_: StepContext) -> None:
            await stage.reached("go")

        stage.direct("weigh", lambda _: Halt({"question": "how heavy?"}, resume_to="done"))
        stage.direct("label", go_on)
        await open_app()

        parcel = await Parcel.start("1", stage.initial())
        halted = await parcel.wait(PATIENCE)
        stage.mark("go")
        await parcel.resume(payload={"grams": 80})
        instance = await parcel.wait(PATIENCE, until="completed")

        assert ("halted", frozenset({"weigh", "label"})) == (halted.status, halted.active_steps)
        assert {"grams": 80} == instance.context.steps["weigh"]

    async def test_an_answer_for_two_halts_is_refused(
        self, open_app: OpenApp, stage: Stage
    ) -> None:
        for step in ("hear_buyer", "hear_seller"):
            stage.direct(step, lambda _: Halt(resume_to="agreed"))
        await open_app()

        deal = await Deal.start("1", stage.initial())

        async def both_halted() -> bool:
            steps = (await deal.get()).active.values()
            return ["halted", "halted"] == [step.state for step in steps]

        await eventually(both_halted)
        with pytest.raises(AmbiguousEvent) as caught:
            await deal.resume()
        await deal.resume(step="hear_buyer")
        await deal.resume(step="hear_seller")
        instance = await deal.wait(PATIENCE, until="completed")

        assert ("hear_buyer", "hear_seller") == caught.value.steps
        assert "completed" == instance.status

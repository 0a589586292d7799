"""Plain functions as steps."""

import contextvars
import threading
from typing import Any

from hephaestus import running
from hephaestus.steps import StepContext
from hephaestus.testing.runner.apps import Apps, OpenApp
from hephaestus.testing.runner.stage import PATIENCE, Stage
from hephaestus.testing.runner.workflows import Computation, Crunching, Errand, Racing

_request = contextvars.ContextVar("_request", default="none")


class Threads(Apps):
    """Plain steps run beside the event loop, and are let run out where nobody waits any more."""

    async def test_a_plain_step_leaves_the_event_loop_free(
        self, open_app: OpenApp, stage: Stage
    ) -> None:
        def block(_: StepContext) -> dict[str, Any]:
            stage.reached_in_thread("run_errand")
            return {"main": threading.current_thread() is threading.main_thread()}

        stage.direct("compute", block)
        await open_app()

        computation = await Computation.start("1", stage.initial())
        await stage.reached("compute")
        errand = await Errand.start("1", stage.initial())
        await errand.result(PATIENCE)

        assert {"main": False} == await computation.result(PATIENCE)

    async def test_several_plain_steps_run_at_once(self, open_app: OpenApp, stage: Stage) -> None:
        def meet(_: StepContext) -> None:
            stage.mark("met")
            stage.reached_in_thread("met", times=3)

        stage.direct("compute", meet)
        await open_app()

        runs = [await Computation.start(str(number), stage.initial()) for number in range(3)]

        assert [{}, {}, {}] == [await run.result(PATIENCE) for run in runs]

    async def test_a_plain_step_has_context_variables_of_its_own(
        self, open_app: OpenApp, stage: Stage
    ) -> None:
        def look(_: StepContext) -> dict[str, Any]:
            _request.set("changed in the thread")
            return {"app": running.current().name}

        stage.direct("compute", look)
        app, other = await open_app(), await open_app()

        computation = await app.start_instance(Computation, stage.initial(), id="computation::1")
        result = await computation.result(PATIENCE)

        assert result["app"] in {app.name, other.name}
        assert "none" == _request.get()

    async def test_a_plain_step_that_raises_fails(self, open_app: OpenApp, stage: Stage) -> None:
        def fail(_: StepContext) -> None:
            raise OSError("no connection")

        stage.direct("crunch", fail)
        await open_app()

        crunching = await Crunching.start("1", stage.initial())
        instance = await crunching.wait(PATIENCE)

        assert "failed" == instance.status
        assert instance.error is not None
        assert ("OSError", "no connection", 3) == (
            instance.error.type,
            instance.error.message,
            instance.error.attempt,
        )

    async def test_the_outcome_of_a_plain_step_out_of_time_is_dropped(
        self, open_app: OpenApp, stage: Stage
    ) -> None:
        def dawdle(ctx: StepContext) -> dict[str, Any]:
            if ctx.attempt == 1:
                stage.reached_in_thread("go")
            stage.mark(f"attempt {ctx.attempt} ends")
            return {"attempt": ctx.attempt}

        stage.direct("race", dawdle)
        await open_app()

        racing = await Racing.start("1", stage.initial())
        ended = await racing.wait(PATIENCE)
        stage.mark("go")
        await stage.reached("attempt 1 ends")
        instance = await racing.get()

        actions = [e.action for e in ended.execution_history if e.step == "race"]
        attempt = len(actions)
        assert ["failed"] * (attempt - 1) + ["completed"] == actions
        assert attempt > 1
        assert {"attempt": attempt} == ended.result == instance.context.steps["race"]
        assert "completed" == instance.status

    async def test_the_outcome_of_a_plain_step_of_a_cancelled_run_is_dropped(
        self, open_app: OpenApp, stage: Stage
    ) -> None:
        def compute(_: StepContext) -> None:
            stage.reached_in_thread("go")
            stage.mark("ran out")

        stage.direct("compute", compute)
        await open_app()

        computation = await Computation.start("1", stage.initial())
        await stage.reached("compute")
        await computation.cancel()
        stage.mark("go")
        await stage.reached("ran out")
        instance = await computation.get()

        assert ("cancelled", frozenset()) == (instance.status, instance.completed_steps)

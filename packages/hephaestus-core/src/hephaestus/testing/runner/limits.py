"""Time limits of attempts."""

import asyncio
from typing import Any

from hephaestus.steps import StepContext
from hephaestus.testing.runner.apps import Apps, OpenApp
from hephaestus.testing.runner.stage import PATIENCE, Stage
from hephaestus.testing.runner.workflows import Call


class Limits(Apps):
    """An attempt that takes too long is stopped, and counts as failed."""

    async def test_an_attempt_out_of_time_is_stopped(self, open_app: OpenApp, stage: Stage) -> None:
        async def hang(_: StepContext) -> None:
            try:
                await stage.reached("never")
            except asyncio.CancelledError:
                stage.mark("stopped")
                raise

        stage.direct("call_out", hang)
        await open_app()

        call = await Call.start("1", stage.initial())
        instance = await call.wait(PATIENCE)

        assert "failed" == instance.status
        assert 3 == stage.count("stopped")
        assert instance.error is not None
        assert ("call_out", "TimeoutError", 3) == (
            instance.error.step,
            instance.error.type,
            instance.error.attempt,
        )
        assert "0.03 s" in instance.error.message

    async def test_the_limit_is_that_of_one_attempt(self, open_app: OpenApp, stage: Stage) -> None:
        async def hang_twice(ctx: StepContext) -> dict[str, Any]:
            if ctx.attempt < 3:
                await stage.reached("never")
            return {"attempt": ctx.attempt}

        stage.direct("call_out", hang_twice)
        await open_app()

        call = await Call.start("1", stage.initial())

        assert {"attempt": 3} == await call.result(PATIENCE)

    async def test_a_timeout_that_a_body_raises_is_an_error_like_any_other(
        self, open_app: OpenApp, stage: Stage
    ) -> None:
        def give_up(_: StepContext) -> None:
            raise TimeoutError("the other side did not answer")

        stage.direct("call_out", give_up)
        await open_app()

        call = await Call.start("1", stage.initial())
        instance = await call.wait(PATIENCE)

        assert instance.error is not None
        assert ("TimeoutError", "the other side did not answer") == (
            instance.error.type,
            instance.error.message,
        )

    async def test_what_a_body_does_within_a_limit_of_its_own_is_its_own_affair(
        self, open_app: OpenApp, stage: Stage
    ) -> None:
        async def hurry(_: StepContext) -> dict[str, Any]:
            try:
                async with asyncio.timeout(0):
                    await stage.reached("never")
            except TimeoutError:
                return {"in_time": False}
            return {"in_time": True}

        stage.direct("call_out", hurry)
        await open_app()

        call = await Call.start("1", stage.initial())

        assert {"in_time": False} == await call.result(PATIENCE)

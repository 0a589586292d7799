"""Attempts that fail, retries, and runs that fail."""

import asyncio
from itertools import pairwise
from typing import Any

import pytest

from hephaestus.errors import Fatal, InstanceFailed, NotRetryable
from hephaestus.steps import StepContext
from hephaestus.testing.runner.apps import Apps, OpenApp
from hephaestus.testing.runner.stage import PATIENCE, Body, Stage, hanging_once
from hephaestus.testing.runner.workflows import QUICKLY, Bill, Download, Errand, Order, Parcel


class Stop(BaseException):
    """What a library raises to get past every `except Exception`."""


class Mute(Exception):
    """An error that cannot say what went wrong."""

    def __str__(self) -> str:
        raise LookupError("no text")


def _failing(times: int, error: BaseException) -> Body:
    def body(ctx: StepContext) -> dict[str, Any]:
        if ctx.attempt <= times:
            raise error
        return {"attempt": ctx.attempt}

    return body


class Failures(Apps):
    """A raise is a failed attempt; some attempts later the run has failed."""

    async def test_a_failed_attempt_is_made_again(self, open_app: OpenApp, stage: Stage) -> None:
        stage.direct("fetch", _failing(2, OSError("no connection")))
        await open_app()

        download = await Download.start("1", stage.initial())
        instance = await download.wait(PATIENCE)

        assert "completed" == instance.status
        assert {"attempt": 3} == instance.context.steps["fetch"]
        assert ["fetch", "fetch", "fetch", "store"] == stage.order
        assert instance.error is None

    async def test_attempts_rest_in_between(self, open_app: OpenApp, stage: Stage) -> None:
        stage.direct("fetch", _failing(2, OSError("no connection")))
        await open_app()

        download = await Download.start("1", stage.initial())
        await download.wait(PATIENCE)
        history = [entry for entry in await download.history() if entry.step == "fetch"]

        assert ["failed", "failed", "completed"] == [entry.action for entry in history]
        for failed, next_one in pairwise(history):
            assert next_one.timestamp - failed.timestamp >= QUICKLY.initial_delay

    async def test_a_run_fails_once_its_attempts_are_used_up(
        self, open_app: OpenApp, stage: Stage
    ) -> None:
        stage.direct("fetch", _failing(9, OSError("no connection")))
        await open_app()

        download = await Download.start("1", stage.initial())
        instance = await download.wait(PATIENCE)

        assert "failed" == instance.status
        assert 3 == stage.count("fetch")
        assert instance.error is not None
        assert ("fetch", "OSError", "no connection", 3) == (
            instance.error.step,
            instance.error.type,
            instance.error.message,
            instance.error.attempt,
        )
        assert "fetch" == instance.recover_to
        assert frozenset() == instance.active_steps
        assert ["failed"] * 3 == [entry.action for entry in instance.execution_history]

    async def test_a_failed_run_has_no_result(self, open_app: OpenApp, stage: Stage) -> None:
        stage.direct("fetch", _failing(9, OSError("no connection")))
        await open_app()

        download = await Download.start("1", stage.initial())
        with pytest.raises(InstanceFailed, match="no connection") as caught:
            await download.result(PATIENCE)

        assert ("failed", download.run_id) == (caught.value.status, caught.value.run_id)

    async def test_a_fatal_error_fails_the_run_at_once(
        self, open_app: OpenApp, stage: Stage
    ) -> None:
        stage.direct("fetch", _failing(9, Fatal("the file is gone")))
        await open_app()

        download = await Download.start("1", stage.initial())
        instance = await download.wait(PATIENCE)

        assert "failed" == instance.status
        assert 1 == stage.count("fetch")
        assert instance.error is not None
        assert ("Fatal", "the file is gone") == (instance.error.type, instance.error.message)

    @pytest.mark.parametrize(
        "returned",
        [
            "unheard_of",
            ("done",),
            ("done", 1),
            42,
            # Its text names an address, and xdist compares the names.
            pytest.param({"data": object()}, id="an object in the data"),
            ("done", {}, {}, {}),
            float("nan"),
        ],
        ids=str,
    )
    async def test_what_no_step_may_return_fails_the_run_at_once(
        self, open_app: OpenApp, stage: Stage, returned: object
    ) -> None:
        stage.direct("fetch", lambda _: returned)
        await open_app()

        download = await Download.start("1", stage.initial())
        instance = await download.wait(PATIENCE)

        assert ("failed", 1) == (instance.status, stage.count("fetch"))
        assert instance.error is not None
        assert "Fatal" == instance.error.type
        assert "fetch" in instance.error.message

    @pytest.mark.parametrize(
        "error",
        [
            pytest.param(OSError("a NUL: \0"), id="NUL"),
            pytest.param(OSError("half a pair: \ud800"), id="surrogate"),
            pytest.param(OSError("much " * 1_000_000), id="long"),
            pytest.param(Mute(), id="mute"),
        ],
    )
    async def test_an_error_of_any_text_can_be_kept(
        self, open_app: OpenApp, stage: Stage, error: Exception
    ) -> None:
        stage.direct("fetch", _failing(9, error))
        await open_app()

        download = await Download.start("1", stage.initial())
        instance = await download.wait(PATIENCE)

        assert ("failed", 3) == (instance.status, stage.count("fetch"))
        assert instance.error is not None
        assert type(error).__name__ == instance.error.type
        assert 0 < len(instance.error.message) <= 10_000

    async def test_a_failed_run_is_retried_from_the_step_that_failed(
        self, open_app: OpenApp, stage: Stage
    ) -> None:
        stage.direct("charge", _failing(1, Fatal("the card is blocked")))
        await open_app()

        order = await Order.start("1", stage.initial())
        failed = await order.wait(PATIENCE)
        await order.retry()
        instance = await order.wait(PATIENCE, until="completed")

        assert ("failed", order.run_id) == (failed.status, instance.run_id)
        assert ["validate", "charge", "charge", "ship"] == stage.order
        assert {"attempt": 2} == instance.context.steps["charge"]
        assert instance.error is None
        assert ["completed", "failed", "retried", "completed", "completed", "completed"] == [
            entry.action for entry in instance.execution_history
        ]

    async def test_a_retry_gives_the_step_all_its_attempts_again(
        self, open_app: OpenApp, stage: Stage
    ) -> None:
        stage.direct("fetch", _failing(5, OSError("no connection")))
        await open_app()

        download = await Download.start("1", stage.initial())
        await download.wait(PATIENCE, until="failed")
        await download.retry()

        assert {} == await download.result(PATIENCE)
        assert 6 == stage.count("fetch")

    async def test_only_a_failed_run_can_be_retried(self, open_app: OpenApp, stage: Stage) -> None:
        await open_app()

        errand = await Errand.start("1", stage.initial())
        await errand.wait(PATIENCE)
        bill = await Bill.start("1", stage.initial())
        await bill.wait(PATIENCE, until="waiting")

        for handle, status in ((errand, "completed"), (bill, "waiting")):
            with pytest.raises(NotRetryable) as caught:
                await handle.retry()
            assert status == caught.value.status

    async def test_a_failure_stops_the_siblings_and_a_retry_takes_them_up_again(
        self, open_app: OpenApp, stage: Stage
    ) -> None:
        hang = hanging_once(stage, "label")

        async def hang_at_first(ctx: StepContext) -> None:
            try:
                await hang(ctx)
            except asyncio.CancelledError:
                stage.mark("stopped")
                raise

        async def fail_at_first(ctx: StepContext) -> None:
            await stage.reached("label hangs")
            if ctx.attempt == 1:
                raise Fatal("the scales are broken")

        stage.direct("label", hang_at_first)
        stage.direct("weigh", fail_at_first)
        await open_app()

        parcel = await Parcel.start("1", stage.initial())
        failed = await parcel.wait(PATIENCE)
        await stage.reached("stopped")
        await parcel.retry()
        instance = await parcel.wait(PATIENCE, until="completed")

        assert ("failed", "completed") == (failed.status, instance.status)
        label = [e for e in instance.execution_history if e.step == "label"]
        assert [("completed", 1)] == [(entry.action, entry.attempt) for entry in label]
        assert (1, 2, 2, 1) == tuple(
            stage.count(step) for step in ("pack", "weigh", "label", "hand_over")
        )

    @pytest.mark.parametrize(
        "error", [Stop("now"), SystemExit(3), asyncio.CancelledError("gone")], ids=repr
    )
    async def test_what_is_no_exception_fails_the_attempt_like_one(
        self, open_app: OpenApp, stage: Stage, error: BaseException
    ) -> None:
        stage.direct("fetch", _failing(1, error))
        await open_app()

        download = await Download.start("1", stage.initial())
        instance = await download.wait(PATIENCE)

        assert "completed" == instance.status
        assert {"attempt": 2} == instance.context.steps["fetch"]
        first = instance.execution_history[0]
        assert first.error is not None
        assert ("failed", type(error).__name__) == (first.action, first.error.type)

    async def test_a_body_that_cancels_its_own_task_has_failed(
        self, open_app: OpenApp, stage: Stage
    ) -> None:
        async def give_up(ctx: StepContext) -> dict[str, Any]:
            if ctx.attempt == 1:
                task = asyncio.current_task()
                assert task is not None
                task.cancel()
                await stage.reached("never")
            return {"attempt": ctx.attempt}

        stage.direct("fetch", give_up)
        await open_app()

        download = await Download.start("1", stage.initial())
        instance = await download.wait(PATIENCE)

        assert "completed" == instance.status
        assert {"attempt": 2} == instance.context.steps["fetch"]

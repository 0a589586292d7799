"""Runs that are cancelled."""

import asyncio

import pytest

from hephaestus.errors import AlreadyRunning, InstanceFailed, InstanceFinished, InstanceNotFound
from hephaestus.outcome import Halt
from hephaestus.steps import StepContext
from hephaestus.testing.runner.apps import Apps, OpenApp
from hephaestus.testing.runner.stage import PATIENCE, Stage
from hephaestus.testing.runner.workflows import (
    Approval,
    Bill,
    Download,
    Errand,
    Export,
    Order,
    Search,
    Vacation,
)


class Cancels(Apps):
    """On return from `cancel` the run is cancelled, for good."""

    async def test_a_cancelled_run_ends_and_its_body_is_stopped(
        self, open_app: OpenApp, stage: Stage
    ) -> None:
        async def hang(_: StepContext) -> None:
            try:
                await stage.reached("never")
            except asyncio.CancelledError:
                stage.mark("stopped")
                raise

        stage.direct("charge", hang)
        await open_app()

        order = await Order.start("1", stage.initial())
        await stage.reached("charge")
        await Order.cancel("1")
        instance = await order.get()
        await stage.reached("stopped")

        assert "cancelled" == instance.status
        assert frozenset() == instance.active_steps
        assert {"validate"} == instance.completed_steps
        assert instance.finished_at is not None
        assert ["completed", "cancelled"] == [e.action for e in instance.execution_history]
        assert ["validate", "charge", "stopped"] == stage.order

    async def test_a_body_that_ends_all_the_same_changes_nothing(
        self, open_app: OpenApp, stage: Stage
    ) -> None:
        async def insist(_: StepContext) -> str:
            try:
                await stage.reached("never")
            except asyncio.CancelledError:
                stage.mark("insists")
            return "done"

        stage.direct("charge", insist)
        await open_app()

        order = await Order.start("1", stage.initial())
        await stage.reached("charge")
        await order.cancel()
        await stage.reached("insists")
        next_one = await Order.start("2", stage.initial())
        await next_one.cancel()
        instance = await order.get()

        assert "cancelled" == instance.status
        assert {"validate"} == instance.completed_steps
        assert 0 == stage.count("ship")

    async def test_a_run_that_is_cancelled_before_there_is_room_executes_nothing(
        self, open_app: OpenApp, stage: Stage
    ) -> None:
        stage.direct("run_errand", lambda _: stage.reached("go"))
        await open_app(concurrency=1)

        first = await Errand.start("1", stage.initial())
        await stage.reached("run_errand")
        errand = await Errand.start("2", stage.initial())
        await errand.cancel()
        stage.mark("go")
        await first.result(PATIENCE)
        other = await Errand.start("3", stage.initial())
        await other.result(PATIENCE)

        assert "cancelled" == (await errand.get()).status
        assert 2 == stage.count("run_errand")

    async def test_all_branches_are_stopped(self, open_app: OpenApp, stage: Stage) -> None:
        async def hang(_: StepContext) -> None:
            stage.mark("part")
            try:
                await stage.reached("never")
            finally:
                stage.mark("part stopped")

        for number in range(10):
            stage.direct(f"part_{number:02}", hang)
        await open_app()

        export = await Export.start("1", stage.initial())
        await stage.reached("part", times=10)
        await export.cancel()
        await stage.reached("part stopped", times=10)

        assert "cancelled" == (await export.get()).status

    async def test_what_waits_can_be_cancelled(self, open_app: OpenApp, stage: Stage) -> None:
        def fail(_: StepContext) -> None:
            raise OSError("no connection")

        stage.direct("ask", lambda _: Halt())
        stage.direct("crawl", fail)
        await open_app()

        bill = await Bill.start("1", stage.initial())
        await bill.wait(PATIENCE, until="waiting")
        approval = await Approval.start("1", stage.initial())
        await approval.wait(PATIENCE, until="halted")
        vacation = await Vacation.start("1", stage.initial())
        search = await Search.start("1", stage.initial())
        await stage.reached("crawl")
        for handle in (bill, approval, vacation, search):
            await handle.cancel()

        for handle in (bill, approval, vacation, search):
            assert "cancelled" == (await handle.get()).status

    async def test_a_cancelled_run_has_no_result(self, open_app: OpenApp, stage: Stage) -> None:
        await open_app()

        bill = await Bill.start("1", stage.initial())
        await bill.cancel()
        with pytest.raises(InstanceFailed) as caught:
            await bill.result(PATIENCE)

        assert ("cancelled", None) == (caught.value.status, caught.value.reason)

    async def test_a_finished_run_cannot_be_cancelled(
        self, open_app: OpenApp, stage: Stage
    ) -> None:
        def fail(_: StepContext) -> None:
            raise OSError("no connection")

        stage.direct("fetch", fail)
        await open_app()

        errand = await Errand.start("1", stage.initial())
        await errand.wait(PATIENCE)
        bill = await Bill.start("1", stage.initial())
        await bill.cancel()
        download = await Download.start("1", stage.initial())
        await download.wait(PATIENCE)

        for handle, status in ((errand, "completed"), (bill, "cancelled"), (download, "failed")):
            with pytest.raises(InstanceFinished) as caught:
                await handle.cancel()
            assert status == caught.value.status

    async def test_an_unknown_run_cannot_be_cancelled(self, open_app: OpenApp) -> None:
        await open_app()

        with pytest.raises(InstanceNotFound):
            await Bill.cancel("unheard")

    async def test_two_who_cancel_at_once_both_succeed_or_hear_of_it(
        self, open_app: OpenApp, stage: Stage
    ) -> None:
        stage.direct("run_errand", lambda _: stage.reached("never"))
        await open_app()

        errand = await Errand.start("1", stage.initial())
        await stage.reached("run_errand")
        answers = await asyncio.gather(*(errand.cancel() for _ in range(5)), return_exceptions=True)
        instance = await errand.get()

        assert {type(None), InstanceFinished} >= {type(answer) for answer in answers}
        assert None in answers
        assert 1 == [e.action for e in instance.execution_history].count("cancelled")

    async def test_the_id_of_a_cancelled_run_is_free_again(
        self, open_app: OpenApp, stage: Stage
    ) -> None:
        await open_app()

        first = await Bill.start("1", stage.initial())
        with pytest.raises(AlreadyRunning) as caught:
            await Bill.start("1", stage.initial())
        await first.cancel()
        second = await Bill.start("1", stage.initial())
        await Bill.resume("1", "paid")
        await second.wait(PATIENCE, until="completed")

        assert (first.id, first.run_id) == (caught.value.instance_id, caught.value.run_id)
        assert first.run_id != second.run_id
        assert "cancelled" == (await first.get()).status

    async def test_a_run_that_another_app_executes_is_cancelled_and_its_body_stopped(
        self, open_app: OpenApp, stage: Stage
    ) -> None:
        async def hang(_: StepContext) -> None:
            try:
                await stage.reached("never")
            finally:
                stage.mark("stopped")

        stage.direct("run_errand", hang)
        here = await open_app(lease=0.6)
        errand = await here.start_instance(Errand, stage.initial(), id="errand::1")
        await stage.reached("run_errand")
        there = await open_app()

        await there.cancel(errand.run_id)
        instance = await there.get(errand.run_id)
        await stage.reached("stopped")

        assert "cancelled" == instance.status

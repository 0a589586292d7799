"""Waiting for runs."""

import asyncio
from typing import Any

import pytest

from hephaestus.errors import InstanceNotFound, InvalidArgument, WaitTimeout
from hephaestus.outcome import Halt
from hephaestus.testing.runner.apps import Apps, OpenApp
from hephaestus.testing.runner.stage import PATIENCE, Stage
from hephaestus.testing.runner.workflows import Approval, Bill, Errand
from hephaestus.testing.storage.values import EVERYTHING, exactly


class Waits(Apps):
    """`wait` and `result` return when the run is there, and not much later."""

    async def test_waiting_ends_at_the_end_or_at_a_halt(
        self, open_app: OpenApp, stage: Stage
    ) -> None:
        stage.direct("ask", lambda _: Halt())
        await open_app()

        approval = await Approval.start("1", stage.initial())
        halted = await approval.wait(PATIENCE)
        await approval.resume("approved")
        completed = await approval.wait(PATIENCE)

        assert ("halted", "completed") == (halted.status, completed.status)
        assert "resumed" in [entry.action for entry in completed.execution_history]

    async def test_waiting_for_what_has_ended_gives_the_history_as_well(
        self, open_app: OpenApp, stage: Stage
    ) -> None:
        await open_app()

        errand = await Errand.start("1", stage.initial())
        ended = await errand.wait(PATIENCE)
        again = await errand.wait(PATIENCE)

        assert () != again.execution_history
        assert ended == again

    async def test_an_answered_run_counts_as_halted_no_more(
        self, open_app: OpenApp, stage: Stage
    ) -> None:
        stage.direct("ask", lambda _: Halt())
        await open_app()

        approval = await Approval.start("1", stage.initial())
        await approval.wait(PATIENCE)
        await approval.resume("approved")
        instance = await approval.wait(PATIENCE, until=["halted", "completed"])

        assert "completed" == instance.status

    async def test_waiting_for_one_of_several_statuses(
        self, open_app: OpenApp, stage: Stage
    ) -> None:
        await open_app()

        bill = await Bill.start("1", stage.initial())
        instance = await bill.wait(PATIENCE, until=["waiting", "completed"])

        assert "waiting" == instance.status
        await bill.cancel()

    async def test_the_end_ends_every_wait(self, open_app: OpenApp, stage: Stage) -> None:
        await open_app()

        errand = await Errand.start("1", stage.initial())
        instance = await errand.wait(PATIENCE, until="halted")

        assert "completed" == instance.status

    async def test_a_wait_for_what_does_not_come_times_out(
        self, open_app: OpenApp, stage: Stage
    ) -> None:
        await open_app()

        bill = await Bill.start("1", stage.initial())
        await bill.wait(PATIENCE, until="waiting")
        for seconds in (0, 0.02):
            with pytest.raises(WaitTimeout) as caught:
                await bill.wait(seconds)
            assert isinstance(caught.value, TimeoutError)
            assert ("bill::1", "waiting", seconds) == (
                caught.value.instance_id,
                caught.value.status,
                caught.value.seconds,
            )
        await bill.cancel()

    async def test_a_finished_run_needs_no_waiting(self, open_app: OpenApp, stage: Stage) -> None:
        await open_app()

        errand = await Errand.start("1", stage.initial())
        ended = await errand.wait(PATIENCE)

        assert "completed" == ended.status
        assert ended == await errand.wait(0) == await errand.get()

    async def test_a_result_is_what_the_storage_has_and_nobody_elses(
        self, open_app: OpenApp, stage: Stage
    ) -> None:
        stage.direct("run_errand", lambda _: EVERYTHING)
        await open_app()

        errand = await Errand.start("1", stage.initial())
        first, second = await asyncio.gather(errand.result(PATIENCE), errand.result(PATIENCE))
        first["lists"].append("changed")

        stored = (await errand.get()).result
        assert exactly(second) == exactly(stored)
        assert exactly(await errand.result(PATIENCE)) == exactly(stored) == exactly(EVERYTHING)

    async def test_many_wait_for_one_run(self, open_app: OpenApp, stage: Stage) -> None:
        stage.direct("run_errand", lambda _: stage.reached("go"))
        await open_app()

        errand = await Errand.start("1", stage.initial())
        waiting = [asyncio.create_task(errand.wait(PATIENCE)) for _ in range(20)]
        await stage.reached("run_errand")
        stage.mark("go")
        instances = await asyncio.gather(*waiting)

        assert ["completed"] * 20 == [instance.status for instance in instances]

    async def test_one_app_waits_for_a_run_of_another(
        self, open_app: OpenApp, stage: Stage
    ) -> None:
        stage.direct("run_errand", lambda _: stage.reached("go"))
        here, there = await open_app(), await open_app()

        errand = await here.start_instance(Errand, stage.initial(), id="errand::1")
        await stage.reached("run_errand")
        waiting = asyncio.create_task(there.wait(errand.run_id, PATIENCE))
        stage.mark("go")

        assert "completed" == (await waiting).status

    async def test_a_wait_for_no_status_is_refused(self, open_app: OpenApp, stage: Stage) -> None:
        app = await open_app()
        errand = await Errand.start("1", stage.initial())
        await errand.wait(PATIENCE)

        wrong: list[Any] = ["finished", [], ["completed", "over"]]
        for until in wrong:
            with pytest.raises(InvalidArgument, match="until="):
                await errand.wait(PATIENCE, until=until)
        with pytest.raises(InvalidArgument):
            await errand.wait(-1)
        with pytest.raises(InstanceNotFound):
            await app.wait("errand::2", PATIENCE)

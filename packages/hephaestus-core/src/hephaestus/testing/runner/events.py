"""Events from outside."""

import asyncio
from typing import Any

import pytest

from hephaestus.errors import (
    AmbiguousEvent,
    InstanceFinished,
    InstanceNotFound,
    InvalidArgument,
    NotSerializable,
    UnknownEvent,
)
from hephaestus.outcome import Suspend
from hephaestus.steps import StepContext
from hephaestus.testing.runner.apps import Apps, OpenApp
from hephaestus.testing.runner.stage import PATIENCE, Stage
from hephaestus.testing.runner.workflows import (
    Bill,
    Deal,
    Download,
    Errand,
    Subscription,
    hear_buyer,
    paid,
)


class Events(Apps):
    """Events reach the one step that they are meant for, once, early or not."""

    async def test_the_payload_becomes_the_data_of_the_step(
        self, open_app: OpenApp, stage: Stage
    ) -> None:
        stage.direct("thank", lambda ctx: {"receipt": ctx[paid]["receipt"]})
        await open_app()

        bill = await Bill.start("1", stage.initial())
        waiting = await bill.wait(PATIENCE, until="waiting")
        await Bill.resume("1", "paid", {"receipt": "r-1"})
        instance = await bill.wait(PATIENCE, until="completed")

        assert {"paid"} == waiting.waiting_steps
        assert "paid" == waiting.current_step
        assert {"receipt": "r-1"} == instance.context.steps["paid"]
        assert {"receipt": "r-1"} == instance.result

    async def test_an_event_without_a_payload_leaves_no_data(
        self, open_app: OpenApp, stage: Stage
    ) -> None:
        await open_app()

        bill = await Bill.start("1", stage.initial())
        await bill.wait(PATIENCE, until="waiting")
        await bill.resume("received")
        instance = await bill.wait(PATIENCE, until="completed")

        assert {} == instance.context.steps["paid"]

    async def test_an_early_event_waits_for_its_step(self, open_app: OpenApp, stage: Stage) -> None:
        stage.direct("send_bill", lambda _: stage.reached("go"))
        await open_app()

        bill = await Bill.start("1", stage.initial())
        await stage.reached("send_bill")
        await bill.resume("paid", {"receipt": "r-1"})
        stage.mark("go")
        instance = await bill.wait(PATIENCE, until="completed")

        assert {"receipt": "r-1"} == instance.context.steps["paid"]
        assert 1 == stage.count("send_bill")

    async def test_an_early_event_waits_while_several_steps_follow_each_other(
        self, open_app: OpenApp, stage: Stage
    ) -> None:
        stage.direct("sign_up", lambda _: stage.reached("go"))
        await open_app()

        subscription = await Subscription.start("1", stage.initial())
        await stage.reached("sign_up")
        await subscription.resume("paid", {"receipt": "r-1"})
        stage.mark("go")
        instance = await subscription.wait(PATIENCE, until="completed")

        assert {"receipt": "r-1"} == instance.result

    async def test_an_early_event_outlives_failed_attempts(
        self, open_app: OpenApp, stage: Stage
    ) -> None:
        async def fail_at_first(ctx: StepContext) -> None:
            if ctx.attempt < 3:
                await stage.reached("go")
                raise OSError("no connection")

        stage.direct("send_bill", fail_at_first)
        await open_app()

        bill = await Bill.start("1", stage.initial())
        await stage.reached("send_bill")
        await bill.resume("paid", {"receipt": "r-1"})
        stage.mark("go")
        instance = await bill.wait(PATIENCE, until="completed")

        assert {"receipt": "r-1"} == instance.context.steps["paid"]

    async def test_an_early_event_outlives_a_wait_for_room(
        self, open_app: OpenApp, stage: Stage
    ) -> None:
        stage.direct("run_errand", lambda _: stage.reached("go"))
        app = await open_app(concurrency=1)

        errand = await Errand.start("1", stage.initial())
        await stage.reached("run_errand")
        bill = await Bill.start("1", stage.initial())
        await bill.resume("paid", {"receipt": "r-1"})
        stage.mark("go")
        await errand.result(PATIENCE)
        instance = await app.wait(bill.run_id, PATIENCE, until="completed")

        assert {"receipt": "r-1"} == instance.context.steps["paid"]

    async def test_events_are_delivered_in_order(self, open_app: OpenApp, stage: Stage) -> None:
        stage.direct("send_bill", lambda _: stage.reached("go"))
        await open_app()

        bill = await Bill.start("1", stage.initial())
        await stage.reached("send_bill")
        for number in range(3):
            await bill.resume("paid", {"number": number})
        stage.mark("go")
        instance = await bill.wait(PATIENCE, until="completed")

        assert {"number": 0} == instance.context.steps["paid"]
        dropped = [e.output for e in instance.execution_history if e.action == "dropped"]
        assert [{"number": 1}, {"number": 2}] == dropped

    async def test_an_event_of_one_dedup_key_counts_once(
        self, open_app: OpenApp, stage: Stage
    ) -> None:
        stage.direct("send_bill", lambda _: stage.reached("go"))
        await open_app()

        bill = await Bill.start("1", stage.initial())
        await stage.reached("send_bill")
        await bill.resume("paid", {"number": 1}, dedup_key="click")
        await bill.resume("paid", {"number": 2}, dedup_key="click")
        stage.mark("go")
        instance = await bill.wait(PATIENCE, until="completed")

        assert {"number": 1} == instance.context.steps["paid"]
        assert "dropped" not in [entry.action for entry in instance.execution_history]

    async def test_an_event_for_two_waiting_steps_is_refused_and_not_delivered(
        self, open_app: OpenApp, stage: Stage
    ) -> None:
        stage.direct("hear_buyer", lambda _: Suspend())
        stage.direct("hear_seller", lambda _: Suspend())
        await open_app()

        deal = await Deal.start("1", stage.initial())
        before = await deal.wait(PATIENCE, until="waiting")
        with pytest.raises(AmbiguousEvent) as caught:
            await deal.resume("agreed")
        after = await deal.get()

        assert ("hear_buyer", "hear_seller") == caught.value.steps
        assert before == after
        await deal.cancel()

    async def test_a_step_can_be_named_where_several_wait(
        self, open_app: OpenApp, stage: Stage
    ) -> None:
        stage.direct("hear_buyer", lambda _: Suspend())
        stage.direct("hear_seller", lambda _: Suspend())
        await open_app()

        deal = await Deal.start("1", stage.initial())
        await deal.wait(PATIENCE, until="waiting")
        await deal.resume("agreed", {"price": 7}, step=hear_buyer)
        await deal.resume("agreed", {"price": 8}, step="hear_seller")
        instance = await deal.wait(PATIENCE, until="completed")

        assert {"price": 7} == instance.context.steps["hear_buyer"]
        assert {"price": 8} == instance.context.steps["hear_seller"]

    async def test_a_waiting_branch_does_not_keep_the_other_one(
        self, open_app: OpenApp, stage: Stage
    ) -> None:
        stage.direct("hear_buyer", lambda _: Suspend())
        stage.direct("hear_seller", lambda _: stage.reached("go"))
        await open_app()

        deal = await Deal.start("1", stage.initial())
        await stage.reached("hear_seller")
        running = await deal.wait(PATIENCE, until="running")
        stage.mark("go")
        waiting = await deal.wait(PATIENCE, until="waiting")
        await deal.resume("agreed")
        instance = await deal.wait(PATIENCE, until="completed")

        assert "running" == running.status
        assert {"hear_buyer"} == waiting.active_steps
        assert 1 == stage.count("hear_buyer")
        assert {"hear_buyer", "hear_seller"} < instance.completed_steps

    async def test_an_event_that_no_step_takes_is_refused(
        self, open_app: OpenApp, stage: Stage
    ) -> None:
        await open_app()

        bill = await Bill.start("1", stage.initial())
        await bill.wait(PATIENCE, until="waiting")
        with pytest.raises(UnknownEvent, match="did you mean 'paid'") as caught:
            await bill.resume("paidd")
        with pytest.raises(InvalidArgument, match="no step 'payd'"):
            await bill.resume("paid", step="payd")
        with pytest.raises(InvalidArgument, match="name the event"):
            await bill.resume()
        instance = await bill.get()

        assert ("bill::1", "paidd") == (caught.value.instance_id, caught.value.event)
        assert "waiting" == instance.status
        await bill.cancel()

    async def test_a_payload_that_cannot_be_stored_is_refused(
        self, open_app: OpenApp, stage: Stage
    ) -> None:
        await open_app()
        bill = await Bill.start("1", stage.initial())
        await bill.wait(PATIENCE, until="waiting")

        wrong: Any = {"receipt": {"when": [object()]}}
        with pytest.raises(NotSerializable) as caught:
            await bill.resume("paid", wrong)

        assert "receipt" in caught.value.path
        await bill.cancel()

    async def test_a_finished_run_takes_no_event(self, open_app: OpenApp, stage: Stage) -> None:
        await open_app()

        bill = await Bill.start("1", stage.initial())
        await bill.resume("paid")
        completed = await bill.wait(PATIENCE, until="completed")
        with pytest.raises(InstanceFinished) as caught:
            await bill.resume("paid")
        after = await bill.get()

        assert ("completed", bill.run_id) == (caught.value.status, caught.value.run_id)
        assert completed == after

    async def test_an_unknown_run_takes_no_event(self, open_app: OpenApp) -> None:
        await open_app()

        with pytest.raises(InstanceNotFound):
            await Bill.resume("unheard", "paid")

    async def test_an_event_for_a_failed_run_is_kept_for_its_retry(
        self, open_app: OpenApp, stage: Stage
    ) -> None:
        def fail_at_first(ctx: StepContext) -> None:
            if ctx.attempt <= 3:
                raise OSError("no connection")

        stage.direct("send_bill", fail_at_first)
        await open_app()

        bill = await Bill.start("1", stage.initial())
        await bill.wait(PATIENCE, until="failed")
        await bill.resume("paid", {"receipt": "r-1"})
        still = await bill.get()
        await bill.retry()
        instance = await bill.wait(PATIENCE, until="completed")

        assert "failed" == still.status
        assert {"receipt": "r-1"} == instance.context.steps["paid"]

    async def test_events_for_many_runs_at_once_all_arrive(
        self, open_app: OpenApp, stage: Stage
    ) -> None:
        await open_app()
        bills = [await Bill.start(str(number), stage.initial()) for number in range(50)]

        await asyncio.gather(*(bill.resume("paid", {"number": n}) for n, bill in enumerate(bills)))
        instances = [await bill.wait(PATIENCE, until="completed") for bill in bills]

        assert list(range(50)) == [one.context.steps["paid"]["number"] for one in instances]

    async def test_an_event_for_a_run_in_another_app_reaches_it(
        self, open_app: OpenApp, stage: Stage
    ) -> None:
        here, there = await open_app(), await open_app()

        bill = await here.start_instance(Bill, stage.initial(), id="bill::1")
        await bill.wait(PATIENCE, until="waiting")
        await there.resume("bill::1", "paid", {"receipt": "r-1"})
        instance = await there.wait("bill::1", PATIENCE, until="completed")

        assert {"receipt": "r-1"} == instance.context.steps["paid"]

    async def test_only_a_declared_event_ends_a_step(self, open_app: OpenApp, stage: Stage) -> None:
        stage.direct("fetch", lambda _: "fetched")
        await open_app()

        download = await Download.start("1", stage.initial())
        instance = await download.wait(PATIENCE)

        assert "failed" == instance.status
        assert instance.error is not None
        assert "'fetched', which it does not declare" in instance.error.message

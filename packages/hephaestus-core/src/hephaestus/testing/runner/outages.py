"""A storage that is away for a while."""

import pytest

from hephaestus.errors import StorageUnavailable
from hephaestus.handle import Handle
from hephaestus.steps import StepContext
from hephaestus.storage import Storage
from hephaestus.testing.runner.ahead import LONG, AheadClock
from hephaestus.testing.runner.apps import Apps, OpenApp
from hephaestus.testing.runner.outage import Outage
from hephaestus.testing.runner.stage import PATIENCE, Stage, eventually
from hephaestus.testing.runner.workflows import Bill, Errand, Order, Parcel, Reminder


class Outages(Apps):
    """A runner whose storage comes back goes on by itself, and does nothing twice."""

    @pytest.mark.parametrize("verb", ["due", "load", "commit", "post"])
    async def test_a_verb_that_fails_now_and_then_does_no_harm(
        self, open_app: OpenApp, stage: Stage, storage: Storage, verb: str
    ) -> None:
        outage = Outage(storage)
        await open_app(storage=outage.storage, concurrency=1)

        outage.fail(verb, times=2)
        parcel = await Parcel.start("1", stage.initial())
        reminder = await Reminder.start("1", stage.initial())
        first = await parcel.wait(PATIENCE)
        second = await reminder.wait(PATIENCE, until="completed")

        assert 2 == outage.failures[verb]
        assert ("completed", "completed") == (first.status, second.status)
        assert [1] * 5 == [
            stage.count(key) for key in ("pack", "weigh", "label", "hand_over", "ring")
        ]

    async def test_a_claim_that_fails_does_no_harm(
        self, open_app: OpenApp, stage: Stage, storage: Storage
    ) -> None:
        outage = Outage(storage)
        await open_app(storage=outage.storage, concurrency=1)
        second = await self._claimed_for_nothing(outage, stage, "fail")

        outage.end()
        instance = await second.wait(PATIENCE)

        assert ("completed", 2) == (instance.status, stage.count("run_errand"))

    @pytest.mark.parametrize("verb", ["commit", "post"])
    async def test_a_write_whose_answer_is_lost_counts_once(
        self, open_app: OpenApp, stage: Stage, storage: Storage, verb: str
    ) -> None:
        outage = Outage(storage)
        await open_app(storage=outage.storage)

        outage.lose_answer(verb, times=2)
        order = await Order.start("1", stage.initial())
        parcel = await Parcel.start("1", stage.initial())
        instances = [await order.wait(PATIENCE), await parcel.wait(PATIENCE)]

        assert 2 == outage.failures[verb]
        for instance in instances:
            assert "completed" == instance.status
            # An outcome that was posted again after it was taken is dropped, and history says so.
            history = instance.execution_history
            completed = [entry.step for entry in history if entry.action == "completed"]
            assert len(completed) == len(set(completed))
            assert {"completed", "dropped"} >= {entry.action for entry in history}
        assert [1] * 7 == [
            stage.count(key)
            for key in ("validate", "charge", "ship", "pack", "weigh", "label", "hand_over")
        ]

    async def test_a_claim_whose_answer_is_lost_is_given_back(
        self, open_app: OpenApp, stage: Stage, storage: Storage
    ) -> None:
        outage = Outage(storage)
        app = await open_app(storage=outage.storage, concurrency=1, lease=3600)
        second = await self._claimed_for_nothing(outage, stage, "lose_answer")

        outage.end()
        await app.close()
        instance = await (await open_app()).wait(second.run_id, PATIENCE)

        assert "completed" == instance.status
        assert "lost" not in [entry.action for entry in instance.execution_history]

    async def _claimed_for_nothing(self, outage: Outage, stage: Stage, how: str) -> Handle:
        """Return a run whose step had to wait for room, and whose claim then went wrong."""
        stage.direct("run_errand", lambda _: stage.reached("go"))
        await Errand.start("1", stage.initial())
        await stage.reached("run_errand")

        async def went_wrong() -> bool:
            return outage.failures["claim"] == 1

        # Who finds a run due leases its steps with the commit, and claims nothing.
        outage.fail("due", times=1_000_000)
        getattr(outage, how)("claim")
        second = await Errand.start("2", stage.initial())
        stage.mark("go")
        await eventually(went_wrong)
        return second

    async def test_a_renewal_that_fails_stops_nothing_while_the_lease_lasts(
        self, open_app: OpenApp, stage: Stage, storage: Storage
    ) -> None:
        stage.direct("run_errand", lambda _: stage.reached("go"))
        clock, outage, other = AheadClock(), Outage(storage), Outage(storage)
        app = await open_app(storage=outage.storage, lease=LONG, clock=clock)
        outage.fail("renew")
        errand = await app.start_instance(Errand, stage.initial(), id="errand::1")
        await stage.reached("run_errand")
        await open_app(storage=other.storage, clock=clock)

        for _ in range(3):
            await outage.goes_on("renew")
            clock.put_forward(LONG / 2)
            await other.goes_on("due")
        stage.mark("go")
        instance = await errand.wait(PATIENCE)

        assert 1 == outage.failures["renew"]
        assert ("completed", 1) == (instance.status, stage.count("run_errand"))

    async def test_runs_under_way_survive_an_outage(
        self, open_app: OpenApp, stage: Stage, storage: Storage
    ) -> None:
        stage.direct("charge", lambda _: stage.reached("go"))
        stage.direct("label", lambda _: stage.reached("go"))
        outage = Outage(storage)
        await open_app(storage=outage.storage)
        orders = [await Order.start(str(number), stage.initial()) for number in range(10)]
        parcels = [await Parcel.start(str(number), stage.initial()) for number in range(10)]
        await stage.reached("charge", times=10)
        await stage.reached("label", times=10)

        async def was_noticed() -> bool:
            return outage.failures["commit"] >= 10 and outage.failures["post"] >= 10

        outage.begin()
        stage.mark("go")
        await eventually(was_noticed)
        outage.end()
        instances = [await handle.wait(PATIENCE) for handle in orders + parcels]

        assert ["completed"] * 20 == [instance.status for instance in instances]
        assert [10] * 7 == [
            stage.count(key)
            for key in ("validate", "charge", "ship", "pack", "weigh", "label", "hand_over")
        ]

    async def test_an_outcome_waits_for_the_storage_to_come_back(
        self, open_app: OpenApp, stage: Stage, storage: Storage
    ) -> None:
        async def go_on(_: StepContext) -> None:
            await stage.reached("go")

        stage.direct("charge", go_on)
        outage = Outage(storage)
        await open_app(storage=outage.storage)
        order = await Order.start("1", stage.initial())
        await stage.reached("charge")

        outage.begin()
        stage.mark("go")

        async def was_refused() -> bool:
            return outage.failures["commit"] > 0

        await eventually(was_refused)
        outage.end()
        instance = await order.wait(PATIENCE)

        assert "completed" == instance.status
        assert ["validate", "charge", "go", "ship"] == stage.order

    async def test_a_start_that_is_refused_leaves_no_run_and_no_room_taken(
        self, open_app: OpenApp, stage: Stage, storage: Storage
    ) -> None:
        outage = Outage(storage)
        app = await open_app(storage=outage.storage, concurrency=1)

        outage.fail("create")
        with pytest.raises(StorageUnavailable):
            await Errand.start("1", stage.initial())
        runs = await app.count()
        errand = await Errand.start("1", stage.initial())

        assert 0 == runs
        assert {} == await errand.result(PATIENCE)

    async def test_a_verb_of_the_app_tells_that_the_storage_is_away(
        self, open_app: OpenApp, stage: Stage, storage: Storage
    ) -> None:
        outage = Outage(storage)
        await open_app(storage=outage.storage)
        bill = await Bill.start("1", stage.initial())
        await bill.wait(PATIENCE, until="waiting")

        outage.begin()
        for refused in (bill.get(), bill.resume("paid"), bill.cancel(), bill.wait(PATIENCE)):
            with pytest.raises(StorageUnavailable):
                await refused
        outage.end()
        await bill.resume("paid")

        assert {} == await bill.result(PATIENCE)

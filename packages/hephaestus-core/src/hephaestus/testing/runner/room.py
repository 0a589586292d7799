"""How many steps execute at the same time."""

import asyncio

from hephaestus.steps import StepContext
from hephaestus.testing.runner.apps import Apps, OpenApp
from hephaestus.testing.runner.stage import PATIENCE, Stage
from hephaestus.testing.runner.workflows import WIDTH, Bill, Call, Errand, Export, Reminder, parts

SLOTS = 5


class Crowd:
    """Counts those who are inside, and keeps the most that were."""

    def __init__(self) -> None:
        self.inside = 0
        self.most = 0

    def enter(self) -> None:
        """Count one more."""
        self.inside += 1
        self.most = max(self.most, self.inside)

    def leave(self) -> None:
        """Count one less."""
        self.inside -= 1


def _gather(stage: Stage, crowd: Crowd) -> None:
    """Direct the parts of an `Export` to wait until as many as fit are inside together."""

    async def part(_: StepContext) -> None:
        crowd.enter()
        stage.mark("inside")
        await stage.reached("inside", times=SLOTS)
        # One more round of the loop, so that one too many would be seen.
        await asyncio.sleep(0)
        crowd.leave()

    for step in parts:
        stage.direct(step.key, part)


class Room(Apps):
    """The bound on concurrency, and that room is given back whatever happens."""

    async def test_twenty_steps_of_one_run_share_five_slots(
        self, open_app: OpenApp, stage: Stage
    ) -> None:
        crowd = Crowd()
        _gather(stage, crowd)
        await open_app(concurrency=SLOTS)

        export = await Export.start("1", stage.initial())
        instance = await export.wait(PATIENCE)

        assert "completed" == instance.status
        assert SLOTS == crowd.most
        assert WIDTH == stage.count("inside")

    async def test_twenty_runs_share_five_slots(self, open_app: OpenApp, stage: Stage) -> None:
        crowd = Crowd()

        async def errand(_: StepContext) -> None:
            crowd.enter()
            stage.mark("inside")
            await stage.reached("inside", times=SLOTS)
            await asyncio.sleep(0)
            crowd.leave()

        stage.direct("run_errand", errand)
        await open_app(concurrency=SLOTS)

        errands = [await Errand.start(str(number), stage.initial()) for number in range(WIDTH)]
        for one in errands:
            await one.result(PATIENCE)

        assert SLOTS == crowd.most
        assert WIDTH == stage.count("inside")

    async def test_runs_take_turns_on_one_slot(self, open_app: OpenApp, stage: Stage) -> None:
        await open_app(concurrency=1)

        exports = [await Export.start(str(number), stage.initial()) for number in range(3)]
        results = [await export.result(PATIENCE) for export in exports]

        assert [{}, {}, {}] == results
        assert 3 == stage.count("collect")

    async def test_what_waits_takes_no_room(self, open_app: OpenApp, stage: Stage) -> None:
        await open_app(concurrency=1)

        bills = [await Bill.start(str(number), stage.initial()) for number in range(3)]
        for bill in bills:
            await bill.wait(PATIENCE, until="waiting")
        reminder = await Reminder.start("1", stage.initial())
        await reminder.result(PATIENCE)
        for bill in bills:
            await bill.resume("paid")

        assert [{}, {}, {}] == [await bill.result(PATIENCE) for bill in bills]

    async def test_the_room_of_a_failed_attempt_is_given_back(
        self, open_app: OpenApp, stage: Stage
    ) -> None:
        def fail(_: StepContext) -> None:
            raise OSError("no connection")

        stage.direct("call_out", fail)
        await open_app(concurrency=1)

        calls = [await Call.start(str(number), stage.initial()) for number in range(3)]
        statuses = [(await call.wait(PATIENCE)).status for call in calls]
        errand = await Errand.start("1", stage.initial())

        assert {} == await errand.result(PATIENCE)
        assert ["failed"] * 3 == statuses

    async def test_the_room_of_a_cancelled_step_goes_to_the_next_at_once(
        self, open_app: OpenApp, stage: Stage
    ) -> None:
        stage.direct("send_bill", lambda _: stage.reached("never"))
        await open_app(concurrency=1)

        bill = await Bill.start("1", stage.initial())
        await stage.reached("send_bill")
        errand = await Errand.start("1", stage.initial())
        await bill.cancel()

        assert {} == await errand.result(PATIENCE / 5)

    async def test_what_one_app_has_no_room_for_another_executes(
        self, open_app: OpenApp, stage: Stage
    ) -> None:
        stage.direct("send_bill", lambda _: stage.reached("go"))
        full, idle = await open_app(concurrency=1, poll=0.2), await open_app()

        bill = await full.start_instance(Bill, stage.initial(), id="bill::1")
        await stage.reached("send_bill")
        errands = [
            await full.start_instance(Errand, stage.initial(), id=f"errand::{number}")
            for number in range(30)
        ]
        done = [await idle.wait(errand.run_id, PATIENCE / 5) for errand in errands]
        stage.mark("go")
        await bill.cancel()

        assert ["completed"] * 30 == [instance.status for instance in done]

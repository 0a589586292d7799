"""LocalRunner: the whole contract, and what it promises beyond."""

import asyncio
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any, Unpack

import pytest

from hephaestus.app import Hephaestus
from hephaestus.errors import AlreadyRunning, InvalidArgument, StorageUnavailable
from hephaestus.instance import Instance
from hephaestus.local import LocalRunner
from hephaestus.memory import MemoryStorage
from hephaestus.outcome import Halt
from hephaestus.runner import Runner
from hephaestus.steps import StepContext
from hephaestus.storage import Change, Lease, Snapshot, Storage
from hephaestus.testing import RunnerContract, VirtualClock
from hephaestus.testing.runner.ahead import LONG, AheadClock
from hephaestus.testing.runner.apps import Apps, OpenApp, Options
from hephaestus.testing.runner.outage import Outage
from hephaestus.testing.runner.stage import PATIENCE, Stage, eventually, hanging_once
from hephaestus.testing.runner.workflows import (
    SOON,
    Approval,
    Bill,
    Computation,
    Errand,
    Export,
    Order,
    Reminder,
)


class Gated(MemoryStorage):
    """Stores new runs while its gate is open."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = asyncio.Event()
        self.gate.set()

    async def create(self, change: Change, *, session: object = None) -> None:
        await self.gate.wait()
        await super().create(change, session=session)


class Counting(MemoryStorage):
    """Counts the claims that it refuses."""

    refused = 0

    async def claim(
        self, lease: Lease, now: datetime, *, results: Collection[str]
    ) -> Instance | None:
        claimed = await super().claim(lease, now, results=results)
        self.refused += claimed is None
        return claimed


class TestLocalRunner(RunnerContract):
    @pytest.fixture
    def storage(self) -> MemoryStorage:
        return MemoryStorage()

    def make_runner(self, **options: Unpack[Options]) -> LocalRunner:
        return LocalRunner(**options)

    def assert_idle(self, runner: Runner) -> None:
        assert_idle(runner)


class TestBeyondTheContract(Apps):
    @pytest.fixture
    def storage(self) -> MemoryStorage:
        return MemoryStorage()

    def make_runner(self, **options: Unpack[Options]) -> LocalRunner:
        return LocalRunner(**options)

    def assert_idle(self, runner: Runner) -> None:
        assert_idle(runner)

    async def test_steps_without_room_begin_in_the_order_of_their_coming(
        self, open_app: OpenApp, stage: Stage
    ) -> None:
        begun: list[str] = []
        stage.direct("run_errand", lambda ctx: begun.append(ctx.instance.id))
        await open_app(concurrency=1, poll=3600)

        errands = [await Errand.start(str(number), stage.initial()) for number in range(20)]
        for errand in errands:
            await errand.result(PATIENCE)

        assert [errand.id for errand in errands] == begun

    async def test_a_step_that_began_with_a_commit_is_not_claimed_as_well(
        self, stage: Stage
    ) -> None:
        storage = Counting()
        async with Hephaestus(storage, LocalRunner(concurrency=5, poll=3600)):
            export = await Export.start("1", stage.initial())
            await export.result(PATIENCE)

        assert 0 == storage.refused

    async def test_steps_without_room_are_left_to_a_worker_that_has_some(
        self, storage: Storage, stage: Stage
    ) -> None:
        stage.direct("run_errand", hanging_once(stage, "run_errand"))
        clock = VirtualClock()
        async with Hephaestus(storage, LocalRunner(concurrency=1, grace=0), clock=clock) as full:
            await full.start_instance(Errand, stage.initial(), id="errand::1")
            await stage.reached("run_errand hangs")
            left = await full.start_instance(Errand, stage.initial(), id="errand::2")
            await clock.advance(0)

            async with Hephaestus(storage, LocalRunner(), name="other", clock=clock) as other:
                await clock.advance(0)
                ended = await other.get(left.run_id)

        assert "completed" == ended.status

    async def test_a_start_that_is_refused_leaves_its_room_to_the_next(self, stage: Stage) -> None:
        stage.direct("ask", lambda _: Halt({}, prompt="go on?"))
        storage = Gated()
        async with Hephaestus(storage, LocalRunner(concurrency=1, poll=3600)):
            await (await Approval.start("1", stage.initial())).wait(PATIENCE)
            storage.gate.clear()
            refused = asyncio.create_task(Approval.start("1", stage.initial()))
            accepted = asyncio.create_task(Errand.start("2", stage.initial()))
            await asyncio.sleep(0)
            storage.gate.set()

            with pytest.raises(AlreadyRunning):
                await refused
            assert {} == await (await accepted).result(PATIENCE)

    @pytest.mark.parametrize("concurrency", [1, 5, 100])
    async def test_timers_fire_on_time_though_there_is_no_room_for_what_follows(
        self, storage: Storage, stage: Stage, concurrency: int
    ) -> None:
        async def yield_often(ctx: StepContext) -> None:
            for _ in range(5):
                await asyncio.sleep(0)

        stage.direct("ring", yield_often)
        clock = VirtualClock()
        async with Hephaestus(storage, LocalRunner(concurrency=concurrency), clock=clock) as app:
            for number in range(300):
                await Reminder.start(str(number), stage.initial())

            await clock.advance(SOON)
            completed = await app.count(status="completed")

        assert 300 == completed

    async def test_a_runner_serves_one_app_at_a_time(self, storage: Storage) -> None:
        runner = LocalRunner()
        async with Hephaestus(storage, runner):
            with pytest.raises(InvalidArgument, match="give each app its own"):
                await Hephaestus(storage, runner).open()

        async with Hephaestus(storage, runner):
            pass

    async def test_an_app_that_could_not_open_can_be_opened_later(
        self, storage: Storage, stage: Stage
    ) -> None:
        outage = Outage(storage)
        outage.fail("adopt")
        app = Hephaestus(outage.storage, LocalRunner())
        with pytest.raises(StorageUnavailable):
            await app.open()

        async with app:
            errand = await Errand.start("1", stage.initial())

            assert {} == await errand.result(PATIENCE)

    async def test_cancelling_a_close_cuts_the_grace_period_short(
        self, open_app: OpenApp, stage: Stage
    ) -> None:
        stage.direct("run_errand", hanging_once(stage, "run_errand"))
        app = await open_app(grace=3600, lease=3600)
        errand = await app.start_instance(Errand, stage.initial(), id="errand::1")
        await stage.reached("run_errand hangs")

        closing = asyncio.create_task(app.close())
        await asyncio.sleep(0)
        closing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await closing
        other = await open_app()
        instance = await other.wait(errand.run_id, PATIENCE)

        assert {"attempt": 1} == instance.result

    async def test_a_step_that_had_not_begun_is_given_back_as_well(
        self, open_app: OpenApp, stage: Stage
    ) -> None:
        app = await open_app(grace=0, lease=3600)
        errand = await app.start_instance(Errand, stage.initial(), id="errand::1")

        await app.close()
        other = await open_app()
        instance = await other.wait(errand.run_id, PATIENCE)

        assert "completed" == instance.status
        assert "lost" not in [entry.action for entry in instance.execution_history]

    async def test_an_app_whose_loop_was_blocked_past_its_leases_has_lost_them(
        self, storage: Storage, stage: Stage, caplog: pytest.LogCaptureFixture
    ) -> None:
        stage.direct("run_errand", hanging_once(stage, "run_errand"))
        clock = AheadClock()
        async with Hephaestus(storage, LocalRunner(lease=LONG), clock=clock):
            errand = await Errand.start("1", stage.initial())
            await stage.reached("run_errand hangs")

            clock.put_forward(LONG)
            await stage.reached("run_errand", times=2)
            instance = await errand.wait(PATIENCE)

        assert {"attempt": 2} == instance.result
        assert "the lease of step 'run_errand', attempt 1," in caplog.text

    async def test_one_damaged_run_does_not_keep_the_others(
        self, stage: Stage, caplog: pytest.LogCaptureFixture
    ) -> None:
        storage = MemoryStorage()
        async with Hephaestus(storage, LocalRunner(poll=0.02)):
            bill = await Bill.start("1", stage.initial())
            await bill.wait(PATIENCE, until="waiting")
            await bill.resume("paid")
            storage._rows[bill.run_id].state = b"{"
            reminder = await Reminder.start("1", stage.initial())
            await reminder.wait(PATIENCE, until="completed")

        assert f"run {bill.run_id} could not be advanced" in caplog.text

    async def test_one_run_that_nobody_foresaw_does_not_keep_the_others(
        self, stage: Stage, caplog: pytest.LogCaptureFixture
    ) -> None:
        storage = Faulty()
        async with Hephaestus(storage, LocalRunner(poll=0.02)):
            bill = await Bill.start("1", stage.initial())
            await bill.wait(PATIENCE, until="waiting")
            storage.faulty = bill.run_id
            await bill.resume("paid")
            reminder = await Reminder.start("1", stage.initial())
            await reminder.wait(PATIENCE, until="completed")

        assert f"run {bill.run_id} could not be advanced" in caplog.text
        assert "ZeroDivisionError" in caplog.text

    async def test_a_step_whose_outcome_cannot_be_written_is_made_again(
        self, stage: Stage, caplog: pytest.LogCaptureFixture
    ) -> None:
        storage = Faulty()
        clock = AheadClock()

        async def is_told() -> bool:
            return "a step could not be carried through" in caplog.text

        async with Hephaestus(storage, LocalRunner(lease=LONG), clock=clock):
            storage.faulty_commits = 1
            order = await Order.start("1", stage.initial())
            await eventually(is_told)
            clock.put_forward(LONG)
            instance = await order.wait(PATIENCE)

        assert "completed" == instance.status
        assert ["lost", "completed"] == [e.action for e in instance.execution_history][:2]

    async def test_an_error_that_nobody_foresaw_does_not_end_the_look_for_what_is_due(
        self, stage: Stage, caplog: pytest.LogCaptureFixture
    ) -> None:
        storage = Faulty()
        storage.faulty_looks = 2
        async with Hephaestus(storage, LocalRunner(poll=0.02)):
            reminder = await Reminder.start("1", stage.initial())
            await reminder.wait(PATIENCE, until="completed")

        assert 0 == storage.faulty_looks
        assert "OSError: no route to the storage" in caplog.text

    async def test_a_start_in_a_transaction_is_refused_where_there_are_none(
        self, open_app: OpenApp, stage: Stage
    ) -> None:
        app = await open_app()

        with pytest.raises(InvalidArgument, match="session="):
            await Errand.start("1", stage.initial(), session=object())

        assert 0 == await app.count()

    async def test_a_thread_that_is_left_behind_does_not_delay_the_close(
        self, open_app: OpenApp, stage: Stage
    ) -> None:
        stage.direct("compute", lambda _: stage.reached_in_thread("go"))
        app = await open_app(grace=0)
        await Computation.start("1", stage.initial())
        await stage.reached("compute")

        async with asyncio.timeout(PATIENCE / 5):
            await app.close()

        stage.mark("go")


WRONG: list[dict[str, Any]] = [
    {"concurrency": 0},
    {"concurrency": -1},
    {"concurrency": True},
    {"concurrency": 2.0},
    {"concurrency": "2"},
    {"lease": 0},
    {"lease": -1},
    {"lease": True},
    {"lease": float("nan")},
    {"lease": timedelta()},
    {"poll": 0},
    {"poll": float("inf")},
    {"poll": "1"},
    {"grace": -1},
    {"grace": None},
]


@pytest.mark.parametrize("options", WRONG, ids=str)
def test_options_that_make_no_sense_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(InvalidArgument, match=next(iter(options))):
        LocalRunner(**options)


def test_options_may_be_timedeltas_and_the_grace_may_be_none_at_all() -> None:
    runner = LocalRunner(concurrency=1, lease=timedelta(minutes=1), poll=0.5, grace=0, name="w")

    assert "local" == runner.name


def assert_idle(runner: Runner) -> None:
    assert isinstance(runner, LocalRunner)
    assert runner._concurrency == runner._free, "a slot was not given back"
    assert set() == runner._tasks
    assert {} == runner._keeper._held
    assert {} == runner._execution._turns
    assert {} == runner.watch._waiting


class Faulty(MemoryStorage):
    """A storage with a bug."""

    faulty: str | None = None
    faulty_commits = 0
    faulty_looks = 0

    async def due(self, *args: Any, **kwargs: Any) -> list[str]:
        if self.faulty_looks:
            self.faulty_looks -= 1
            raise OSError("no route to the storage")
        return await super().due(*args, **kwargs)

    async def load(self, run_id: str) -> Snapshot:
        if run_id == self.faulty:
            raise ZeroDivisionError
        return await super().load(run_id)

    async def commit(self, change: Any) -> None:
        if self.faulty_commits:
            self.faulty_commits -= 1
            raise ZeroDivisionError
        await super().commit(change)

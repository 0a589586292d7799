"""The transaction of a step is repeated, undone or taken for done, as its end says."""

import asyncio
from collections.abc import Callable
from typing import Unpack

import msgspec
import pytest

from execution.transactional import Deadlock, Fault, TransactionalMemory
from hephaestus.clock import SystemClock
from hephaestus.execution import cancel_message
from hephaestus.handle import Handle
from hephaestus.instance import ActiveStep, Instance
from hephaestus.local import LocalRunner
from hephaestus.steps import StepContext
from hephaestus.testing import capture_events
from hephaestus.testing.runner.ahead import LONG, AheadClock
from hephaestus.testing.runner.apps import Apps, OpenApp, Options
from hephaestus.testing.runner.outage import Outage
from hephaestus.testing.runner.stage import PATIENCE, Body, Stage
from hephaestus.testing.runner.workflows import Booking, Trip
from hephaestus.testing.storage.samples import change, moved

HOUR = 3600


class TestTransact(Apps):
    @pytest.fixture
    def storage(self) -> TransactionalMemory:
        return TransactionalMemory()

    def make_runner(self, **options: Unpack[Options]) -> LocalRunner:
        return LocalRunner(**options)

    @pytest.mark.parametrize("times", [1, 2, 3])
    async def test_a_body_that_meets_a_conflict_is_repeated_with_the_same_attempt(
        self, storage: TransactionalMemory, open_app: OpenApp, stage: Stage, times: int
    ) -> None:
        attempts: list[int] = []
        stage.direct("book", touching(attempts, raising(Deadlock("40P01"), times)))
        await open_app()

        booking = await Booking.start("1", stage.initial())
        instance = await booking.wait(PATIENCE)

        assert "completed" == instance.status
        assert [1] * (times + 1) == attempts
        assert {"seat": 1} == storage.effects
        assert {"completed"} == {entry.action for entry in instance.execution_history}

    @pytest.mark.parametrize("fault", ["conflict", "stale"])
    async def test_a_commit_that_meets_a_conflict_repeats_the_body(
        self, storage: TransactionalMemory, open_app: OpenApp, stage: Stage, fault: Fault
    ) -> None:
        attempts: list[int] = []
        stage.direct("book", touching(attempts))
        storage.faults = [fault] * 3
        await open_app()

        booking = await Booking.start("1", stage.initial())
        instance = await booking.wait(PATIENCE)

        assert ("completed", [1] * 4) == (instance.status, attempts)
        assert {"seat": 1} == storage.effects

    async def test_the_fourth_conflict_fails_the_attempt(
        self, storage: TransactionalMemory, open_app: OpenApp, stage: Stage
    ) -> None:
        attempts: list[int] = []
        stage.direct("book", touching(attempts, raising(Deadlock("40P01"), 4)))
        await open_app()

        with capture_events("hephaestus.step.exception") as events:
            booking = await Booking.start("1", stage.initial())
            instance = await booking.wait(PATIENCE)

        assert [1, 1, 1, 1, 2] == attempts
        assert [1] == [event.metadata["attempt"] for event in events]
        assert {"seat": 1} == storage.effects
        failed, completed, *_ = instance.execution_history
        assert ("failed", 1, "completed", 2) == (
            failed.action, failed.attempt, completed.action, completed.attempt,
        )  # fmt: skip
        assert failed.error is not None
        assert "TransactionConflict" == failed.error.type
        assert "40P01" in failed.error.message

    async def test_a_commit_that_took_effect_without_an_answer_is_not_made_again(
        self, storage: TransactionalMemory, open_app: OpenApp, stage: Stage
    ) -> None:
        attempts: list[int] = []
        stage.direct("book", touching(attempts))
        storage.faults = ["lost after"]
        await open_app(lease=LONG, clock=AheadClock())

        booking = await Booking.start("1", stage.initial())
        instance = await booking.wait(PATIENCE)

        assert ("completed", [1]) == (instance.status, attempts)
        assert {"seat": 1} == storage.effects
        assert 1 == stage.count("confirm")
        assert "lost" not in [entry.action for entry in instance.execution_history]

    @pytest.mark.parametrize("fault", ["lost before", "no connection"])
    async def test_a_transaction_that_was_lost_is_made_again_with_the_same_attempt(
        self, storage: TransactionalMemory, open_app: OpenApp, stage: Stage, fault: Fault
    ) -> None:
        attempts: list[int] = []
        stage.direct("book", touching(attempts))
        storage.faults = [fault, fault]
        await open_app()

        booking = await Booking.start("1", stage.initial())
        instance = await booking.wait(PATIENCE)

        bodies = 3 if fault == "lost before" else 1
        assert ("completed", [1] * bodies) == (instance.status, attempts)
        assert {"seat": 1} == storage.effects

    async def test_an_attempt_that_was_taken_over_meanwhile_has_no_effects_and_no_outcome(
        self, storage: TransactionalMemory, open_app: OpenApp, stage: Stage
    ) -> None:
        stage.direct("book", touching([], holding(stage)))
        await open_app()
        booking = await Booking.start("1", stage.initial())
        await stage.reached("holds")

        await rewrite(storage, booking, "book", attempt=2, deadline=SystemClock().now())
        stage.mark("go")
        instance = await booking.wait(PATIENCE)

        assert {"seat": 1} == storage.effects
        outcomes = [(e.step, e.attempt) for e in instance.execution_history if e.duration]
        assert [("book", 2), ("confirm", 1)] == outcomes

    async def test_a_run_that_was_deleted_meanwhile_has_no_effects(
        self, storage: TransactionalMemory, open_app: OpenApp, stage: Stage
    ) -> None:
        stage.direct("book", touching([], holding(stage)))
        app = await open_app()
        booking = await Booking.start("1", stage.initial())
        await stage.reached("holds")

        await storage.delete(booking.run_id)
        stage.mark("go")
        await app.close()

        assert {} == storage.effects

    @pytest.mark.parametrize("how", ["the body", "the flush"])
    async def test_what_the_body_or_the_database_says_of_its_effects_fails_the_attempt(
        self, storage: TransactionalMemory, open_app: OpenApp, stage: Stage, how: str
    ) -> None:
        def refuse(ctx: StepContext) -> None:
            if ctx.attempt == 1 and how == "the body":
                raise Duplicate("the seat is taken")
            if ctx.attempt == 1:
                ctx.session.refusal = Duplicate("the seat is taken")

        attempts: list[int] = []
        stage.direct("book", touching(attempts, refuse))
        await open_app()

        booking = await Booking.start("1", stage.initial())
        instance = await booking.wait(PATIENCE)

        assert [1, 2] == attempts
        assert {"seat": 1} == storage.effects
        failed = instance.execution_history[0]
        assert ("failed", 1) == (failed.action, failed.attempt)
        assert failed.error is not None
        assert ("Duplicate", "the seat is taken") == (failed.error.type, failed.error.message)

    async def test_a_cancel_that_comes_during_the_body_stops_the_run_and_no_outcome_is_dropped(
        self, storage: TransactionalMemory, open_app: OpenApp, stage: Stage
    ) -> None:
        stage.direct("book", touching([], holding(stage)))
        stage.direct("confirm", lambda _: stage.reached("never"))
        outage = Outage(storage)
        await open_app(storage=outage.storage)
        booking = await Booking.start("1", stage.initial())
        await stage.reached("holds")

        outage.fail("due", times=1000)
        await storage.post(cancel_message(await booking.get()))
        stage.mark("go")
        await stage.reached("confirm")
        outage.end()
        instance = await booking.wait(PATIENCE)

        assert ("cancelled", {"seat": 1}) == (instance.status, storage.effects)
        assert ["completed", "cancelled"] == [e.action for e in instance.execution_history]

    async def test_the_lease_of_a_branch_whose_deadline_has_passed_is_respected(
        self, storage: TransactionalMemory, open_app: OpenApp, stage: Stage
    ) -> None:
        attempts: list[int] = []
        stage.direct("reserve_seat", touching(attempts, holding(stage)))
        stage.direct("notify", lambda _: stage.reached("notified"))
        await open_app(poll=HOUR)
        trip = await Trip.start("1", stage.initial())
        await stage.reached("holds")
        await stage.reached("notify")

        await rewrite(storage, trip, "notify", deadline=SystemClock().now())
        stage.mark("go")
        await until(lambda: bool(storage.effects))
        stage.mark("notified")
        instance = await trip.wait(PATIENCE)

        assert [1] == attempts
        assert ("completed", 1) == (instance.status, stage.count("notify"))
        assert "lost" not in [entry.action for entry in instance.execution_history]

    async def test_the_outcome_of_a_sibling_that_lies_in_the_inbox_is_taken_along(
        self, storage: TransactionalMemory, open_app: OpenApp, stage: Stage
    ) -> None:
        stage.direct("reserve_seat", touching([], holding(stage)))
        await open_app(poll=HOUR)
        trip = await Trip.start("1", stage.initial())
        await stage.reached("holds")
        await until(lambda: stage.count("notify") == 1)

        stage.mark("go")
        instance = await trip.wait(PATIENCE)

        assert ("completed", 1) == (instance.status, stage.count("board"))
        assert {"pick", "notify", "reserve_seat", "reserve_meal"} <= instance.completed_steps


class Duplicate(Exception):
    """What the database says to a second one of what may be there once."""


def touching(attempts: list[int], then: Callable[[StepContext], object] | None = None) -> Body:
    """Return a body that makes an effect, notes its attempt, and goes on as it is told."""

    async def body(ctx: StepContext) -> object:
        attempts.append(ctx.attempt)
        ctx.session.touch("seat")
        told = None if then is None else then(ctx)
        if asyncio.iscoroutine(told):
            await told
        return "done"

    return body


def raising(error: Exception, times: int) -> Callable[[StepContext], None]:
    """Return what raises that often."""
    left = [error] * times

    def then(_: StepContext) -> None:
        if left:
            raise left.pop()

    return then


def holding(stage: Stage) -> Callable[[StepContext], object]:
    """Return what waits for the mark `go`."""

    async def then(_: StepContext) -> None:
        stage.mark("holds")
        await stage.reached("go")

    return then


async def rewrite(
    storage: TransactionalMemory, handle: Handle, key: str, **fields: object
) -> Instance:
    """Change the record of an active step, as another process might."""
    instance = (await storage.load(handle.run_id)).instance
    old = instance.active[key]
    new: ActiveStep = msgspec.structs.replace(old, **fields)
    after = moved(instance, active={**instance.active, key: new})
    ended = ((key, old.attempt),) if new.attempt != old.attempt else ()
    await storage.commit(change(after, ended=ended, wake_at=SystemClock().now()))
    return after


async def until(condition: Callable[[], bool]) -> None:
    """Return when a condition holds."""
    async with asyncio.timeout(PATIENCE):
        while not condition():  # noqa: ASYNC110  # nothing tells when it comes true
            await asyncio.sleep(0)

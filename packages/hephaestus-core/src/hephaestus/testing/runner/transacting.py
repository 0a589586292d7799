"""Steps whose database effects and whose outcome become durable as one."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

import pytest

from hephaestus.errors import Fatal
from hephaestus.outcome import Halt, Suspend
from hephaestus.steps import StepContext
from hephaestus.storage import Storage
from hephaestus.testing.runner.ahead import LONG, AheadClock
from hephaestus.testing.runner.apps import Apps, OpenApp
from hephaestus.testing.runner.outage import Outage
from hephaestus.testing.runner.stage import PATIENCE, Body, Stage
from hephaestus.testing.runner.workflows import Booking, Trip

Touch: TypeAlias = Callable[[Any, str], Awaitable[None]]
"""Makes one effect, under a key, in the session of a step."""

Touched: TypeAlias = Callable[[str], Awaitable[int]]
"""Counts the effects under a key that are durable."""


class Transacting(Apps):
    """The effects of a transactional step happen once, or not at all."""

    @pytest.fixture
    def touch(self, storage: Storage) -> Touch:
        """Return what makes an effect; an adapter with transactions overrides it."""
        pytest.skip(_WHY[storage.transactional])

    @pytest.fixture
    def touched(self, storage: Storage) -> Touched:
        """Return what counts effects; an adapter with transactions overrides it."""
        pytest.skip(_WHY[storage.transactional])

    async def test_the_effects_of_a_transactional_step_come_with_its_outcome(
        self, open_app: OpenApp, stage: Stage, touch: Touch, touched: Touched
    ) -> None:
        async def once(ctx: StepContext) -> object:
            await touch(ctx.session, "seat")
            return "done", {"before": await touched("seat")}

        stage.direct("book", once)
        await open_app()

        booking = await Booking.start("1", stage.initial())
        instance = await booking.wait(PATIENCE)

        assert ("completed", {"before": 0}) == (instance.status, instance.context.steps["book"])
        assert 1 == await touched("seat")
        assert ["book", "confirm"] == stage.order
        assert ["completed"] * 3 == [entry.action for entry in instance.execution_history]

    async def test_what_a_failed_attempt_has_effected_is_undone(
        self, open_app: OpenApp, stage: Stage, touch: Touch, touched: Touched
    ) -> None:
        stage.direct("book", _touching_and(touch, OSError("no connection"), times=2))
        await open_app()

        booking = await Booking.start("1", stage.initial())
        instance = await booking.wait(PATIENCE)

        assert ("completed", 3) == (instance.status, stage.count("book"))
        assert {"attempt": 3} == instance.context.steps["book"]
        assert 1 == await touched("seat")
        actions = [entry.action for entry in instance.execution_history]
        assert ["failed", "failed", "completed", "completed", "completed"] == actions

    async def test_a_run_that_fails_leaves_no_effect_and_its_retry_makes_one(
        self, open_app: OpenApp, stage: Stage, touch: Touch, touched: Touched
    ) -> None:
        stage.direct("book", _touching_and(touch, Fatal("the flight is full"), times=1))
        await open_app()

        booking = await Booking.start("1", stage.initial())
        failed = await booking.wait(PATIENCE)
        left = await touched("seat")
        await booking.retry()
        instance = await booking.wait(PATIENCE, until="completed")

        assert ("failed", 0) == (failed.status, left)
        assert ("completed", 1) == (instance.status, await touched("seat"))

    async def test_a_transactional_step_that_suspends_keeps_its_effects(
        self, open_app: OpenApp, stage: Stage, touch: Touch, touched: Touched
    ) -> None:
        stage.direct("book", _touching(touch, Suspend(3600)))
        await open_app()

        booking = await Booking.start("1", stage.initial())
        await booking.wait(PATIENCE, until="waiting")
        waiting = await touched("seat")
        await booking.resume("confirmed", {"by": "phone"})
        instance = await booking.wait(PATIENCE, until="completed")

        assert {"by": "phone"} == instance.context.steps["book"]
        assert (1, 1, 1) == (waiting, await touched("seat"), stage.count("book"))

    async def test_a_transactional_step_that_halts_keeps_its_effects(
        self, open_app: OpenApp, stage: Stage, touch: Touch, touched: Touched
    ) -> None:
        async def ask(ctx: StepContext) -> object:
            await touch(ctx.session, "seat")
            if ctx.answer is None:
                return Halt({"price": 300}, resume_to="book")
            return "done", ctx.answer

        stage.direct("book", ask)
        await open_app()

        booking = await Booking.start("1", stage.initial())
        halted = await booking.wait(PATIENCE, until="halted")
        at_halt = await touched("seat")
        await booking.resume(payload={"agreed": True})
        instance = await booking.wait(PATIENCE, until="completed")

        assert ({"price": 300}, 1) == (halted.halt_data, at_halt)
        assert {"agreed": True} == instance.context.steps["book"]
        assert (2, 2) == (await touched("seat"), stage.count("book"))

    async def test_transactional_branches_end_beside_each_other_and_others(
        self, open_app: OpenApp, stage: Stage, touch: Touch, touched: Touched
    ) -> None:
        for step in ("reserve_seat", "reserve_meal"):
            stage.direct(step, _touching(touch, "done", key=step))
        await open_app()

        trips = [await Trip.start(str(number), stage.initial()) for number in range(5)]
        instances = [await trip.wait(PATIENCE) for trip in trips]

        assert ["completed"] * 5 == [instance.status for instance in instances]
        assert (5, 5) == (await touched("reserve_seat"), await touched("reserve_meal"))
        assert (5, 5) == (stage.count("notify"), stage.count("board"))
        for instance in instances:
            completed = [e.step for e in instance.execution_history if e.action == "completed"]
            assert len(set(completed)) == len(completed) == 6

    async def test_a_failure_beside_a_transactional_step_undoes_it_until_the_retry(
        self, open_app: OpenApp, stage: Stage, touch: Touch, touched: Touched
    ) -> None:
        stage.direct("reserve_seat", _touching_and_hanging(touch, stage))

        async def fail_at_first(ctx: StepContext) -> None:
            if ctx.attempt == 1:
                await stage.reached("hangs")
                raise Fatal("nobody answers")

        stage.direct("notify", fail_at_first)
        await open_app()

        trip = await Trip.start("1", stage.initial())
        await trip.wait(PATIENCE, until="failed")
        await stage.reached("stopped")
        left = await touched("seat")
        await trip.retry()
        instance = await trip.wait(PATIENCE, until="completed")

        assert (0, 1) == (left, await touched("seat"))
        assert "reserve_seat" in instance.completed_steps

    async def test_a_cancel_during_the_body_undoes_its_effects(
        self, open_app: OpenApp, stage: Stage, touch: Touch, touched: Touched
    ) -> None:
        stage.direct("book", _touching_and_hanging(touch, stage))
        await open_app()

        booking = await Booking.start("1", stage.initial())
        await stage.reached("hangs")
        await booking.cancel()
        await stage.reached("stopped")
        instance = await booking.get()

        assert ("cancelled", frozenset()) == (instance.status, instance.completed_steps)
        assert 0 == await touched("seat")

    async def test_a_body_that_ends_although_its_run_was_cancelled_has_no_effects(
        self, open_app: OpenApp, stage: Stage, touch: Touch, touched: Touched
    ) -> None:
        stage.direct("book", _touching_and_insisting(touch, stage))
        app = await open_app()

        booking = await Booking.start("1", stage.initial())
        await stage.reached("hangs")
        await booking.cancel()
        await stage.reached("insists")
        await app.close()

        assert "cancelled" == (await app.storage.get(booking.run_id)).status
        assert (0, 0) == (await touched("seat"), stage.count("confirm"))

    async def test_a_body_that_a_close_cuts_short_is_executed_again_and_has_its_effects_once(
        self, open_app: OpenApp, stage: Stage, touch: Touch, touched: Touched
    ) -> None:
        stage.direct("book", _touching_and_hanging(touch, stage))
        app = await open_app(grace=0, lease=3600)
        booking = await app.start_instance(Booking, stage.initial(), id="booking::1")
        await stage.reached("hangs")

        await app.close()
        left = await touched("seat")
        other = await open_app()
        instance = await other.wait(booking.run_id, PATIENCE)

        assert (0, 1) == (left, await touched("seat"))
        assert {"attempt": 1} == instance.context.steps["book"]

    async def test_the_effects_of_one_who_was_taken_for_dead_are_undone(
        self, open_app: OpenApp, stage: Stage, storage: Storage, touch: Touch, touched: Touched
    ) -> None:
        stage.direct("book", _touching_and_insisting(touch, stage))
        outage = Outage(storage)
        # It has no room for the next attempt, so that another has to make it.
        app = await open_app(storage=outage.storage, lease=LONG, concurrency=1, clock=AheadClock())
        booking = await app.start_instance(Booking, stage.initial(), id="booking::1")
        await stage.reached("hangs")
        for verb in ("renew", "due"):
            outage.fail(verb, times=10_000)

        other = await open_app(clock=AheadClock(LONG))
        instance = await other.wait(booking.run_id, PATIENCE)
        outage.end()
        await stage.reached("insists")
        await app.close()

        assert {"attempt": 2} == instance.context.steps["book"]
        assert (1, 2, 1) == (await touched("seat"), stage.count("book"), stage.count("confirm"))


_WHY = {
    False: "this storage has no transactions",
    True: "no fixtures `touch` and `touched` make and count effects on this storage",
}


def _touching(touch: Touch, returned: object, *, key: str = "seat") -> Body:
    """Return a body that makes an effect, and returns."""

    async def body(ctx: StepContext) -> object:
        await touch(ctx.session, key)
        return returned

    return body


def _touching_and(touch: Touch, error: Exception, *, times: int) -> Body:
    """Return a body that makes an effect, and raises in its first attempts."""

    async def body(ctx: StepContext) -> object:
        await touch(ctx.session, "seat")
        if ctx.attempt <= times:
            raise error
        return "done", {"attempt": ctx.attempt}

    return body


def _touching_and_hanging(touch: Touch, stage: Stage) -> Body:
    """Return a body that makes an effect, and hangs when it is executed first."""

    async def body(ctx: StepContext) -> object:
        await touch(ctx.session, "seat")
        if not stage.count("hangs"):
            stage.mark("hangs")
            try:
                await stage.reached("never")
            finally:
                stage.mark("stopped")
        return "done", {"attempt": ctx.attempt}

    return body


def _touching_and_insisting(touch: Touch, stage: Stage) -> Body:
    """Return a body that makes an effect, hangs at first, and ends although it is cancelled."""

    async def body(ctx: StepContext) -> object:
        await touch(ctx.session, "seat")
        if not stage.count("hangs"):
            stage.mark("hangs")
            try:
                await stage.reached("never")
            except asyncio.CancelledError:
                stage.mark("insists")
        return "done", {"attempt": ctx.attempt}

    return body

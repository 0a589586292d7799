"""Timers: pauses, timeouts of waits, and events that are scheduled."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from hephaestus.errors import InstanceFinished, InstanceNotFound, InvalidArgument, UnknownEvent
from hephaestus.outcome import Suspend
from hephaestus.steps import StepContext
from hephaestus.storage import Storage
from hephaestus.testing.runner.apps import Apps, OpenApp
from hephaestus.testing.runner.stage import PATIENCE, Stage, eventually
from hephaestus.testing.runner.workflows import (
    LATE,
    SOON,
    Bill,
    Connection,
    Enquiry,
    Errand,
    Reminder,
    Survey,
    Vacation,
    dial,
)

_NEVER = timedelta(days=1)


class Timers(Apps):
    """Timers fire at or after their time, once, and not at all where the event was first."""

    async def test_a_pause_ends_after_its_time(self, open_app: OpenApp, stage: Stage) -> None:
        await open_app()

        vacation = await Vacation.start("1", stage.initial())
        before = await vacation.get()
        await vacation.cancel()
        reminder = await Reminder.start("1", stage.initial())
        instance = await reminder.wait(PATIENCE, until="completed")

        assert ("waiting", frozenset({"rest"})) == (before.status, before.waiting_steps)
        suspended, resumed = instance.execution_history[:2]
        assert ("suspended", "resumed", "timeout") == (
            suspended.action,
            resumed.action,
            resumed.event,
        )
        assert resumed.timestamp - suspended.timestamp >= SOON
        assert 1 == stage.count("ring")

    async def test_a_pause_is_not_longer_than_it_has_to_be(
        self, open_app: OpenApp, stage: Stage
    ) -> None:
        await open_app(poll=_NEVER)

        reminder = await Reminder.start("1", stage.initial())

        assert {} == await reminder.result(PATIENCE / 2)

    async def test_a_wait_for_an_event_ends_at_its_timeout(
        self, open_app: OpenApp, stage: Stage
    ) -> None:
        await open_app()

        enquiry = await Enquiry.start("1", stage.initial())
        instance = await enquiry.wait(PATIENCE)

        assert ["chase"] == stage.order
        assert {"file_answer"} == instance.skipped_steps

    async def test_an_event_in_time_disarms_the_timer(
        self, open_app: OpenApp, stage: Stage
    ) -> None:
        await open_app()

        survey = await Survey.start("1", stage.initial())
        await survey.resume("replied", {"text": "yes"})
        instance = await survey.wait(PATIENCE)

        assert {"text": "yes"} == instance.context.steps["replied"]
        assert {"thank", "replied", "done"} == instance.completed_steps
        assert {"nag"} == instance.skipped_steps

    async def test_a_step_that_suspends_itself_ends_at_its_timeout(
        self, open_app: OpenApp, stage: Stage
    ) -> None:
        stage.direct("dial", lambda _: Suspend(timeout=SOON))
        await open_app()

        connection = await Connection.start("1", stage.initial())
        instance = await connection.wait(PATIENCE)

        assert "completed" == instance.status
        assert "timeout" == instance.finished["dial"].event
        assert 1 == stage.count("dial")

    async def test_a_suspended_step_takes_its_event(self, open_app: OpenApp, stage: Stage) -> None:
        stage.direct("dial", lambda _: Suspend(timeout=_NEVER))
        await open_app()

        connection = await Connection.start("1", stage.initial())
        suspended = await connection.wait(PATIENCE, until="waiting")
        await connection.resume("connected", {"line": 3})
        instance = await connection.wait(PATIENCE)

        assert {"dial"} == suspended.waiting_steps
        assert ("completed", {"line": 3}) == (instance.status, instance.result)

    async def test_a_scheduled_event_reaches_its_step(
        self, open_app: OpenApp, stage: Stage
    ) -> None:
        stage.direct("dial", lambda _: Suspend())
        app = await open_app()

        connection = await Connection.start("1", stage.initial())
        await connection.wait(PATIENCE, until="waiting")
        await app.schedule_resume(connection.id, dial, SOON)
        instance = await connection.wait(PATIENCE, until="completed")

        assert "timeout" == instance.finished["dial"].event

    async def test_a_scheduled_event_that_comes_too_early_waits_for_its_step(
        self, open_app: OpenApp, stage: Stage
    ) -> None:
        async def dial_slowly(_: StepContext) -> Suspend:
            await stage.reached("go")
            return Suspend()

        stage.direct("dial", dial_slowly)
        app = await open_app()

        connection = await Connection.start("1", stage.initial())
        await stage.reached("dial")
        await app.schedule_resume(connection.run_id, "dial", timedelta(microseconds=1))
        reminder = await Reminder.start("1", stage.initial())
        await reminder.wait(PATIENCE, until="completed")
        revision = (await connection.get()).revision
        stage.mark("go")
        instance = await connection.wait(PATIENCE, until="completed")

        assert "timeout" == instance.finished["dial"].event
        assert revision < 6, "a run that can do nothing was written again and again"

    async def test_a_scheduled_event_can_be_withdrawn(
        self, open_app: OpenApp, stage: Stage
    ) -> None:
        stage.direct("dial", lambda _: Suspend())
        app = await open_app()

        connection = await Connection.start("1", stage.initial())
        await connection.wait(PATIENCE, until="waiting")
        message_id = await app.schedule_resume(connection.id, dial, LATE)
        answers = [await app.withdraw(message_id), await app.withdraw(message_id)]
        instance = await connection.get()

        assert [True, False] == answers
        assert "waiting" == instance.status

    async def test_a_run_that_was_put_is_looked_at_until_its_time_to_wake_is_known(
        self, open_app: OpenApp, stage: Stage, storage: Storage
    ) -> None:
        await open_app(lease=0.6)
        bill = await Bill.start("1", stage.initial())
        waiting = await bill.wait(PATIENCE, until="waiting")
        earlier = waiting.created_at - timedelta(minutes=1)
        restored = msgspec.structs.replace(waiting, updated_at=earlier)
        await storage.put(restored)
        revision = (await storage.load(bill.run_id)).instance.revision

        async def is_at_rest() -> bool:
            return (await storage.load(bill.run_id)).instance.revision > revision

        await eventually(is_at_rest)
        tomorrow = datetime.now(UTC) + timedelta(days=1)
        known = frozenset({(restored.workflow, restored.workflow_version)})
        due = await storage.due(tomorrow, 10, known, hand_over=timedelta(seconds=1))
        await bill.cancel()

        assert [] == due

    async def test_a_scheduled_event_is_dropped_where_its_step_has_ended(
        self, open_app: OpenApp, stage: Stage
    ) -> None:
        stage.direct("dial", lambda _: Suspend())
        app = await open_app()

        connection = await Connection.start("1", stage.initial())
        await connection.wait(PATIENCE, until="waiting")
        message_id = await app.schedule_resume(connection.id, dial, LATE)
        await connection.resume("connected")
        instance = await connection.wait(PATIENCE, until="completed")

        assert "connected" == instance.finished["dial"].event
        assert not await app.withdraw(message_id)

    async def test_nothing_can_be_scheduled_where_nothing_waits_for_it(
        self, open_app: OpenApp, stage: Stage
    ) -> None:
        app = await open_app()
        bill = await Bill.start("1", stage.initial())
        errand = await Errand.start("1", stage.initial())
        await errand.wait(PATIENCE)

        wrong: list[tuple[str, Any, Any, type[Exception]]] = [
            ("bill::1", "paid", 1, UnknownEvent),
            ("bill::1", "unheard_of", 1, InvalidArgument),
            ("bill::1", "paid", 0, InvalidArgument),
            ("bill::1", "paid", -1, InvalidArgument),
            ("errand::1", "run_errand", 1, InstanceFinished),
            ("bill::2", "paid", 1, InstanceNotFound),
        ]
        for id, step, delay, error in wrong:
            with pytest.raises(error):
                await app.schedule_resume(id, step, delay)
        await bill.cancel()

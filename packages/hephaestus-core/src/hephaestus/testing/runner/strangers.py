"""Runs that this process cannot execute, beside those that it can."""

from datetime import UTC, datetime

import pytest

from hephaestus.context import Context
from hephaestus.errors import UnknownWorkflow
from hephaestus.instance import ActiveStep, Instance
from hephaestus.storage import Storage
from hephaestus.testing.runner.apps import Apps, OpenApp
from hephaestus.testing.runner.stage import PATIENCE, Stage
from hephaestus.testing.runner.workflows import Errand, Reminder


def _stranger(number: int, workflow: str = "elsewhere.Flow", version: int = 1) -> Instance:
    return Instance(id=f"stranger::{number}", workflow=workflow, workflow_version=version)


class Strangers(Apps):
    """A run whose workflow is not defined here is left alone, and so are the others."""

    async def test_unknown_workflows_leave_the_others_undisturbed(
        self, open_app: OpenApp, stage: Stage, storage: Storage
    ) -> None:
        for number in range(50):
            await storage.put(_stranger(number))
        await storage.put(_stranger(50, Errand.name, version=9))
        app = await open_app(concurrency=1)

        errand = await Errand.start("1", stage.initial())
        reminder = await Reminder.start("1", stage.initial())
        await errand.wait(PATIENCE)
        await reminder.wait(PATIENCE, until="completed")

        assert 51 == await app.count(status="pending")

    async def test_an_unknown_run_takes_no_event_and_says_why(
        self, open_app: OpenApp, storage: Storage
    ) -> None:
        await storage.put(_stranger(1))
        app = await open_app()

        with pytest.raises(UnknownWorkflow) as caught:
            await app.resume("stranger::1", "go")

        assert ("elsewhere.Flow", 1) == (caught.value.workflow, caught.value.version)

    async def test_an_unknown_run_can_be_read_and_cancelled(
        self, open_app: OpenApp, storage: Storage
    ) -> None:
        await storage.put(_stranger(1))
        app = await open_app()

        before = await app.get("stranger::1")
        await app.cancel("stranger::1")
        after = await app.get("stranger::1")

        assert ("pending", "cancelled") == (before.status, after.status)

    async def test_a_run_at_a_step_that_is_gone_is_left_alone_and_so_are_the_others(
        self, open_app: OpenApp, stage: Stage, storage: Storage
    ) -> None:
        active = {"vanished": ActiveStep(since=datetime.now(UTC))}
        lost = Instance(id="errand::1", workflow=Errand.name, status="running", active=active)
        await storage.put(lost)
        await open_app()

        errand = await Errand.start("2", stage.initial())
        reminder = await Reminder.start("1", stage.initial())
        await errand.wait(PATIENCE)
        await reminder.wait(PATIENCE, until="completed")
        instance = await Errand.get("1")

        assert ("running", frozenset({"vanished"})) == (instance.status, instance.active_steps)
        assert 1 == instance.active["vanished"].attempt

    async def test_a_run_that_was_imported_is_taken_up(
        self, open_app: OpenApp, stage: Stage, storage: Storage
    ) -> None:
        app = await open_app()
        context = Context(initial=stage.initial())
        await storage.put(Instance(id="errand::1", workflow=Errand.name, context=context))

        instance = await app.wait("errand::1", PATIENCE)

        assert "completed" == instance.status
        assert 1 == stage.count("run_errand")

    async def test_a_run_that_is_deleted_stops_and_leaves_nothing(
        self, open_app: OpenApp, stage: Stage, storage: Storage
    ) -> None:
        stage.direct("run_errand", lambda _: stage.reached("go"))
        app = await open_app()

        await Errand.start("1", stage.initial())
        await stage.reached("run_errand")
        deleted = await storage.delete("errand::1")
        stage.mark("go")
        again = await Errand.start("1", stage.initial())
        await again.result(PATIENCE)

        assert deleted
        assert 1 == await app.count()

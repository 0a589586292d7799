"""The fixtures of the suite: a stage, and apps that are examined after they have closed."""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from typing import Any, Protocol, TypedDict, Unpack

import pytest

from hephaestus import running
from hephaestus.app import Hephaestus
from hephaestus.clock import Clock
from hephaestus.duration import Duration
from hephaestus.errors import NoApp
from hephaestus.runner import Runner
from hephaestus.storage import Storage
from hephaestus.testing.runner.stage import Stage


class Options(TypedDict, total=False):
    """What a test asks of a runner."""

    concurrency: int
    """How many steps execute at the same time, in the whole app."""

    lease: Duration
    """How long a step stays with an app that shows no life."""

    poll: Duration
    """How often due runs are looked for."""

    grace: Duration
    """How long closing waits for running steps."""

    name: str | None
    """Equal for all incarnations of one worker."""


class OpenApp(Protocol):
    """Opens an app that is closed, and examined, after the test."""

    async def __call__(
        self,
        *,
        storage: Storage | None = None,
        clock: Clock | None = None,
        **options: Unpack[Options],
    ) -> Hephaestus:
        """Open an app on the test's storage, or on another that stands in front of it.

        A second app on one storage stands for another process, whose clock may be another.
        """
        ...


_UNLESS_TOLD = Options(concurrency=50, lease=5, poll=0.02, grace=5, name=None)


class Apps:
    """What every topic of the suite needs."""

    def make_runner(self, **options: Unpack[Options]) -> Runner:
        """Return a runner that is not open yet; an adapter says how."""
        raise NotImplementedError

    def assert_idle(self, runner: Runner) -> None:
        """Assert that a runner, closed, holds nothing that it took; an adapter may know more."""

    @pytest.fixture
    def storage(self) -> Storage:
        """Return an empty storage; an adapter says which."""
        raise NotImplementedError

    @pytest.fixture
    def stage(self) -> Iterator[Stage]:
        """Return the stage on which the steps of this test act."""
        stage = Stage()
        yield stage
        stage.close()

    @pytest.fixture
    async def open_app(
        self, storage: Storage, caplog: pytest.LogCaptureFixture
    ) -> AsyncIterator[OpenApp]:
        """Open apps; after the test, close them and see that they leave nothing behind."""
        usual = storage
        apps: list[Hephaestus] = []
        tasks = asyncio.all_tasks()
        await storage.open()

        async def open_app(
            *,
            storage: Storage | None = None,
            clock: Clock | None = None,
            **options: Unpack[Options],
        ) -> Hephaestus:
            told: Options = {**_UNLESS_TOLD, **options}
            runner = self.make_runner(**told)
            app = Hephaestus(usual if storage is None else storage, runner, clock=clock)
            await app.open()
            apps.append(app)
            return app

        yield open_app
        for app in apps:
            await app.close()
            self.assert_idle(app.runner)
        with pytest.raises(NoApp):
            running.current()
        await _assert_nothing_is_left(storage)
        await storage.close()
        await _assert_no_task_is_left(tasks)
        _assert_nothing_went_wrong(caplog)


async def _assert_nothing_is_left(storage: Storage) -> None:
    for run in await storage.query():
        snapshot = await storage.load(run.run_id)
        assert {} == snapshot.live(datetime.now(UTC)), "a lease outlived its app"
        if run.is_finished:
            assert () == snapshot.leases, "a lease outlived its run"


async def _assert_no_task_is_left(before: set[asyncio.Task[Any]]) -> None:
    # A task that was cancelled ends in the next rounds of the loop.
    for _ in range(3):
        await asyncio.sleep(0)
    left = asyncio.all_tasks() - before - {asyncio.current_task()}
    assert set() == left, "a task outlived its app"


def _assert_nothing_went_wrong(caplog: pytest.LogCaptureFixture) -> None:
    errors = [record for record in caplog.get_records("call") if record.levelno >= logging.ERROR]
    assert [] == [record.getMessage() for record in errors]

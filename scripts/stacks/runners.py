"""A runner with a Dramatiq worker in the same process, on the event loop of its app."""

import asyncio
from typing import Unpack

from dramatiq import Broker, Worker

from hephaestus.clock import Clock
from hephaestus.running import RunningApp
from hephaestus.storage import Storage
from hephaestus.testing.runner.apps import Options
from hephaestus_dramatiq import DramatiqRunner
from hephaestus_dramatiq.work import Work

WAKING = 10
"""Milliseconds after which an idle worker looks again."""


class WorkingRunner(DramatiqRunner):
    """Starts runs and executes them: a worker boots when the app is open, and ends before it.

    Args:
        threads: How many the worker has; as many as it executes steps at once if left out.
    """

    def __init__(
        self, broker: Broker, *, queue: str, threads: int | None = None, **options: Unpack[Options]
    ) -> None:
        self.threads = threads or options["concurrency"]
        super().__init__(
            broker,
            queue=queue,
            orchestration_queue=f"{queue}.orchestration",
            prefetch=self.threads,
            **options,
        )
        self.worker: Worker | None = None
        self.works: list[Work] = []

    async def open(self, app: RunningApp, storage: Storage, clock: Clock) -> None:
        """Open, then boot a worker."""
        await super().open(app, storage, clock)
        assert self._work is not None
        self.works.append(self._work)
        self.worker = Worker(self.broker, worker_timeout=WAKING, worker_threads=self.threads)
        await asyncio.to_thread(self.worker.start)

    async def close(self) -> None:
        """Stop the worker, then close."""
        worker, self.worker = self.worker, None
        try:
            if worker is not None:
                await asyncio.to_thread(worker.stop)
        finally:
            await super().close()

    def assert_idle(self) -> None:
        """Assert that nothing is under way any more, and no thread waits."""
        assert all(work.is_idle for work in self.works)

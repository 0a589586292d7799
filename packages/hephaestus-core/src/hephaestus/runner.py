"""The contract that every runner fulfils; `hephaestus.testing.RunnerContract` proves it."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, ClassVar, Protocol

from hephaestus.clock import Clock
from hephaestus.instance import Instance
from hephaestus.running import RunningApp
from hephaestus.storage import Storage
from hephaestus.watch import Watch


class OpenableApp(RunningApp, Protocol):
    """An app as its runner knows it, before it runs."""

    async def open(self) -> None:
        """Open the storage and the runner, on this event loop."""
        ...

    async def close(self) -> None:
        """Close what was opened."""
        ...


class Runner(Protocol):
    """Decides where and when steps execute.

    The storage is the truth: a runner that forgets everything still finishes every run, by
    asking `due`.
    """

    name: ClassVar[str]
    """What telemetry calls it."""

    watch: Watch
    """Woken when a commit of this process changes a run's status, or ends a wait of it."""

    def attach(self, app: OpenableApp) -> None:
        """Hear of the app that it will serve, as soon as there is one; it may have to open it."""
        ...

    async def open(self, app: RunningApp, storage: Storage, clock: Clock) -> None:
        """Begin to execute what is due on the storage, for an app."""
        ...

    async def close(self) -> None:
        """Stop: let what runs end within a grace period, and give back the rest at once."""
        ...

    async def start(self, instance: Instance, *, session: object = None) -> None:
        """Store a new run and begin it.

        Raises:
            AlreadyRunning: An unfinished run holds its key.
        """
        ...

    async def resume(
        self,
        instance: Instance,
        event: str | None,
        payload: Mapping[str, Any] | None,
        *,
        step: str | None = None,
        dedup_key: str | None = None,
        session: object = None,
    ) -> None:
        """Bind an event to a step of the run, keep it, and let the run take it.

        Raises:
            InstanceFinished: The run is completed or cancelled.
            UnknownEvent: No step takes the event.
            AmbiguousEvent: Several steps could.
        """
        ...

    async def schedule_resume(self, run_id: str, step: str, delay: timedelta | float) -> str:
        """Let the event `timeout` reach a step after a delay, across restarts.

        Returns:
            A message id, which `withdraw` takes.
        """
        ...

    async def withdraw(self, message_id: str) -> bool:
        """Take a scheduled event back; answer False if it has arrived."""
        ...

    async def cancel(self, instance: Instance, *, session: object = None) -> None:
        """Stop the run; on return it has ended, or will with the caller's transaction."""
        ...

    async def retry(self, run_id: str) -> None:
        """Take a failed run up again.

        Raises:
            NotRetryable: It is not failed.
            AlreadyRunning: Another run holds its key by now.
        """
        ...

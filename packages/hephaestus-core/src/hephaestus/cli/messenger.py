"""A runner that executes nothing: what it changes is due, and the app's workers see to it."""

import secrets
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, ClassVar

from hephaestus.clock import Clock
from hephaestus.duration import Duration
from hephaestus.execution import Choice, Execution, LeaseKeeper, Placed, Requests
from hephaestus.instance import Instance
from hephaestus.runner import OpenableApp
from hephaestus.running import RunningApp
from hephaestus.storage import Owner, Storage
from hephaestus.watch import Watch

_NEVER_USED = timedelta(seconds=15)


class Messenger:
    """Stores what is asked of runs, and leaves their steps to others."""

    name: ClassVar[str] = "messenger"

    def __init__(self) -> None:
        self.watch = Watch()

    def attach(self, app: OpenableApp) -> None:
        """Do nothing: whoever made the app opens it."""

    async def open(self, app: RunningApp, storage: Storage, clock: Clock) -> None:  # noqa: ARG002  # it serves any app
        """Begin to take requests."""
        owner = Owner(incarnation=secrets.token_hex(8))
        self._storage = storage
        self._execution = Execution(
            storage=storage,
            clock=clock,
            keeper=LeaseKeeper(storage, clock, owner, _NEVER_USED),
            dispatcher=self,
            watch=self.watch,
            runner=self.name,
        )
        self._requests = Requests(self._execution, storage, clock, hint=lambda *_: None)

    async def close(self) -> None:
        """Let writes end."""
        await self._execution.idle()

    async def start(self, instance: Instance, *, session: object = None) -> None:
        """Store a new run; its first steps are anyone's."""
        await self._requests.start(instance, session=session)

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
        """Keep an event for a run, which makes it due."""
        await self._requests.post_event(
            instance, event, payload, step=step, dedup_key=dedup_key, session=session
        )

    async def schedule_resume(self, run_id: str, step: str, delay: Duration) -> str:
        """Keep the event `timeout` for a step, for later."""
        return (await self._requests.post_timeout(run_id, step, delay)).id

    async def withdraw(self, message_id: str) -> bool:
        """Take a scheduled event back."""
        return await self._storage.withdraw(message_id)

    async def cancel(self, instance: Instance, *, session: object = None) -> None:
        """Stop the run."""
        await self._requests.cancel(instance, session=session)

    async def retry(self, run_id: str) -> None:
        """Take a failed run up again; its steps are anyone's."""
        await self._execution.retry(run_id)

    def choose(self, instance: Instance, ready: tuple[str, ...]) -> Choice:  # noqa: ARG002  # whatever it is
        """Lease nothing, and send nothing."""
        return Choice()

    def forget(self, choice: Choice) -> None:
        """Do nothing: nothing was chosen."""

    def begin(self, placed: Placed) -> None:
        """Do nothing: what is ready is due."""

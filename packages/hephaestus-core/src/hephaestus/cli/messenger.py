"""A runner that executes nothing: what it changes is due, and the app's workers see to it."""

import secrets
from datetime import timedelta
from typing import ClassVar

from hephaestus.clock import Clock
from hephaestus.execution import Choice, Execution, LeaseKeeper, Placed, RunnerVerbs
from hephaestus.instance import Instance
from hephaestus.runner import OpenableApp
from hephaestus.running import RunningApp
from hephaestus.storage import Owner, Storage
from hephaestus.watch import Watch

_NEVER_USED = timedelta(seconds=15)


class Messenger(RunnerVerbs):
    """Stores what is asked of runs, and leaves their steps to others."""

    name: ClassVar[str] = "messenger"

    def __init__(self) -> None:
        self.watch = Watch()

    def attach(self, app: OpenableApp) -> None:
        """Do nothing: whoever made the app opens it."""

    async def open(self, app: RunningApp, storage: Storage, clock: Clock) -> None:  # noqa: ARG002  # it serves any app
        """Begin to take requests."""
        owner = Owner(incarnation=secrets.token_hex(8))
        execution = Execution(
            storage=storage,
            clock=clock,
            keeper=LeaseKeeper(storage, clock, owner, _NEVER_USED),
            dispatcher=self,
            watch=self.watch,
            runner=self.name,
        )
        self._serve(execution, storage, clock)

    async def close(self) -> None:
        """Let writes end."""
        await self._execution.idle()

    def choose(self, instance: Instance, ready: tuple[str, ...]) -> Choice:  # noqa: ARG002  # whatever it is
        """Lease nothing, and send nothing."""
        return Choice()

    def forget(self, choice: Choice) -> None:
        """Do nothing: nothing was chosen."""

    def begin(self, placed: Placed) -> None:
        """Do nothing: what is ready is due."""

"""A runner that executes nothing: what a process without workers has for a LocalRunner."""

import secrets
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, ClassVar

from hephaestus.clock import Clock
from hephaestus.execution import Choice, Execution, LeaseKeeper, Placed, Requests
from hephaestus.instance import Instance
from hephaestus.runner import OpenableApp
from hephaestus.running import RunningApp
from hephaestus.storage import Owner, Storage
from hephaestus.watch import Watch

_LEASE = timedelta(seconds=1)


class OutsideRunner:
    """Starts and advances runs as any runner does; their steps stay ready for the workers."""

    name: ClassVar[str] = "outside"

    def __init__(self) -> None:
        self.watch = Watch()

    def attach(self, app: OpenableApp) -> None:
        """Need nothing of the app."""

    async def open(self, app: RunningApp, storage: Storage, clock: Clock) -> None:
        owner = Owner(incarnation=secrets.token_hex(8))
        self._storage = storage
        self._execution = Execution(
            storage=storage,
            clock=clock,
            keeper=LeaseKeeper(storage, clock, owner, _LEASE),
            dispatcher=self,
            watch=self.watch,
            runner=self.name,
        )
        self._requests = Requests(self._execution, storage, clock, hint=lambda *_: None)

    async def close(self) -> None:
        """Let what is being written be written."""
        await self._execution.idle()

    async def start(self, instance: Instance, *, session: object = None) -> None:
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
        await self._requests.post_event(
            instance, event, payload, step=step, dedup_key=dedup_key, session=session
        )
        await self._execution.advance(instance.run_id)

    async def schedule_resume(self, run_id: str, step: str, delay: timedelta | float) -> str:
        return (await self._requests.post_timeout(run_id, step, delay)).id

    async def withdraw(self, message_id: str) -> bool:
        return await self._storage.withdraw(message_id)

    async def cancel(self, instance: Instance, *, session: object = None) -> None:
        await self._requests.cancel(instance, session=session)

    async def retry(self, run_id: str) -> None:
        await self._execution.retry(run_id)

    def choose(self, instance: Instance, ready: tuple[str, ...]) -> Choice:
        """Leave all steps to others."""
        return Choice()

    def forget(self, choice: Choice) -> None:
        """Have nothing to forget."""

    def begin(self, placed: Placed) -> None:
        """Have nothing to begin."""

"""A runner that executes nothing: what a process without workers has for a LocalRunner."""

from collections.abc import Mapping
from typing import Any, ClassVar

from hephaestus.cli.messenger import Messenger
from hephaestus.instance import Instance


class OutsideRunner(Messenger):
    """Starts and advances runs as any runner does; their steps stay ready for the workers."""

    name: ClassVar[str] = "outside"

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
        await super().resume(
            instance, event, payload, step=step, dedup_key=dedup_key, session=session
        )
        await self._execution.advance(instance.run_id)

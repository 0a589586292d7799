"""A link whose writes count once replicas have them."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from hephaestus.errors import StorageUnavailable
from hephaestus_redis.failures import STORAGE
from hephaestus_redis.link import Link
from hephaestus_redis.script import Command


class Replicated:
    """Waits after each flight that writes until so many replicas have received it.

    What too few have confirmed fails, although the primary has carried it out; repeated, it
    waits again.

    Args:
        prefix: What the keys begin with.
        replicas: How many replicas have to confirm.
        patience: How long they may take.
    """

    wire = None

    def __init__(self, link: Link, *, prefix: bytes, replicas: int, patience: timedelta) -> None:
        self._link = link
        self._replicas = replicas
        milliseconds = max(1, patience // timedelta(milliseconds=1))
        # A repeated verb writes nothing, and the server waits for a connection's own writes only.
        self._confirm: tuple[Command, ...] = (
            ("SET", prefix + b"confirmed", 1),
            ("WAIT", replicas, milliseconds),
        )

    async def send(self, commands: Sequence[Command], *, writes: bool) -> list[Any]:
        """Send, and wait for the replicas if something was written."""
        if not writes:
            return await self._link.send(commands, writes=False)
        replies = await self._link.send([*commands, *self._confirm], writes=True)
        confirmed = replies[-1]
        if isinstance(confirmed, int) and confirmed >= self._replicas:
            return replies[: len(commands)]
        unconfirmed = StorageUnavailable(
            STORAGE, f"{self._replicas} replicas should confirm a write, and {confirmed} did"
        )
        # What was refused stays so: the server may not have known a script.
        return [one if isinstance(one, Exception) else unconfirmed for one in replies[:-2]]

    async def let_go(self) -> None:
        """Give back what is kept."""
        await self._link.let_go()

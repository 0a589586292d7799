"""What is asked for while flights are under way travels together in the next one."""

import asyncio
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

from redis.exceptions import NoScriptError

from hephaestus_redis.failures import FOREIGN, unavailable
from hephaestus_redis.link import Link
from hephaestus_redis.script import Command, Script
from hephaestus_redis.wire import LEAVING, Wire

_AT_ONCE = 2
"""How many flights are under way: one at the server, and one in preparation."""

_MOST_MEMBERS = 256
_MOST_BYTES = 4 * 1024 * 1024
_AGAIN = (NoScriptError, *LEAVING)


@dataclass(slots=True)
class _Member:
    """A command on its way, and who waits for the reply."""

    command: Command
    script: Script | None
    reply: "asyncio.Future[Any]"

    @property
    def size(self) -> int:
        """About how many bytes it takes: what is long comes last."""
        last = self.command[-1]
        return 0 if isinstance(last, int) else len(last)

    def settle(self, reply: Any) -> None:
        """Hand over what came back, unless nobody waits any more."""
        if self.reply.done():
            return
        if not isinstance(reply, Exception):
            self.reply.set_result(reply)
        elif isinstance(reply, FOREIGN):
            self.reply.set_exception(unavailable(reply))
        else:
            self.reply.set_exception(reply)


class Pipeline:
    """Flights of commands, first in, first out; each command succeeds or fails alone.

    Two are under way at a time, and nothing waits unless both are; over a wire a flight is done
    once it is sent. Cancelling a caller takes back what is not
    sent yet, and never a flight. Whatever the driver raises becomes `StorageUnavailable`. What
    the server does not know of the scripts is sent again with its source.
    """

    def __init__(self, link: Link, prefix: bytes) -> None:
        self._link = link
        self._prefix = prefix
        self._queue: deque[_Member] = deque()
        self._flights: set[asyncio.Task[None]] = set()
        self._free = _AT_ONCE
        self._again: list[_Member] = []
        self._aloft = 0
        self._landed = asyncio.Event()
        self._landed.set()

    async def run(self, script: Script, call: Mapping[str, Any]) -> Any:
        """Run a script and return what it returns."""
        return await self._put(script.command(self._prefix, call), script)

    async def run_all(self, script: Script, calls: Iterable[Mapping[str, Any]]) -> list[Any]:
        """Run a script several times, one call after the other."""
        commands = [script.command(self._prefix, call) for call in calls]
        return await asyncio.gather(*[self._put(command, script) for command in commands])

    async def ask(self, *commands: Command) -> list[Any]:
        """Return the replies to commands that only read."""
        return await asyncio.gather(*[self._put(command, None) for command in commands])

    async def idle(self) -> None:
        """Return when no flight is under way."""
        while self._aloft or self._flights:
            await self._landed.wait()
            if self._flights:
                await asyncio.wait(self._flights)

    async def let_go(self) -> None:
        """Give up connections once no flight is under way."""
        await self.idle()
        await self._link.let_go()

    def _put(self, command: Command, script: Script | None) -> "asyncio.Future[Any]":
        reply = asyncio.get_running_loop().create_future()
        # A queue that is not empty is somebody's to take.
        if not self._queue:
            self._begin()
        self._queue.append(_Member(command, script, reply))
        return reply

    async def _send_over(self, wire: Wire, batch: Sequence[_Member]) -> None:
        """Send without waiting for the replies, which land by themselves."""
        self._aloft += len(batch)
        self._landed.clear()
        lands = [partial(self._land, member) for member in batch]
        with suppress(Exception):  # with which each of the batch has landed
            await wire.send([member.command for member in batch], lands)

    def _land(self, member: _Member, reply: Any) -> None:
        """Settle what a wire brings; what it lost, or the server did not know, is sent again."""
        if isinstance(reply, _AGAIN):
            if not self._again:
                asyncio.get_running_loop().call_soon(self._repeat)
            self._again.append(member)
        else:
            member.settle(reply)
            self._count_down(1)

    def _repeat(self) -> None:
        again, self._again = self._again, []
        if wanted := [member for member in again if not member.reply.done()]:
            self._begin(wanted)
        self._count_down(len(again))

    def _count_down(self, landed: int) -> None:
        self._aloft -= landed
        if not self._aloft:
            self._landed.set()

    def _begin(self, batch: Sequence[_Member] = ()) -> None:
        """Let a flight take these, or else what waits, if it is not one too many."""
        if batch or self._free > 0:
            self._free -= 1
            flight = asyncio.create_task(self._fly(list(batch)), name="hephaestus-redis")
            self._flights.add(flight)
            flight.add_done_callback(self._flights.discard)

    async def _fly(self, batch: list[_Member]) -> None:
        is_again = bool(batch)
        try:
            while batch := batch or self._next():
                wire = None if is_again else self._link.wire
                if wire is None:
                    for member, reply in zip(batch, await self._replies(batch), strict=True):
                        member.settle(reply)
                else:
                    await self._send_over(wire, batch)
                batch, is_again = [], False
        finally:
            # Only where the event loop is ending does somebody still wait.
            for member in (*batch, *self._queue):
                member.reply.cancel()
            self._queue.clear()
            self._free += 1

    def _next(self) -> list[_Member]:
        """Return the members of the next flight."""
        batch: list[_Member] = []
        size = 0
        while self._queue and len(batch) < _MOST_MEMBERS and size < _MOST_BYTES:
            member = self._queue.popleft()
            if not member.reply.done():
                batch.append(member)
                size += member.size
        return batch

    async def _replies(self, batch: Sequence[_Member]) -> list[Any]:
        try:
            replies = await self._send(batch, [member.command for member in batch])
            unknown = [n for n, reply in enumerate(replies) if isinstance(reply, NoScriptError)]
            if unknown:
                again = [batch[n] for n in unknown]
                for n, reply in zip(unknown, await self._teach(again), strict=True):
                    replies[n] = reply
        except Exception as error:  # noqa: BLE001  # whatever it is, those who wait have to know
            return [error] * len(batch)
        return replies

    async def _teach(self, members: Sequence[_Member]) -> list[Any]:
        """Send again what the server did not know, each script once with its source."""
        known: set[str] = set()
        commands = []
        for member in members:
            assert member.script is not None  # noqa: S101  # no other command lacks a script
            taught = member.script.sha in known
            commands.append(member.command if taught else member.script.taught(member.command))
            known.add(member.script.sha)
        return await self._send(members, commands)

    async def _send(self, members: Sequence[_Member], commands: list[Command]) -> list[Any]:
        writes = any(member.script is not None and member.script.writes for member in members)
        return await self._link.send(commands, writes=writes)

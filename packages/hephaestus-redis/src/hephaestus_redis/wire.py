"""Flights over a connection that is kept: none waits for another, each reply lands at once."""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeAlias

from redis.asyncio.connection import AbstractConnection
from redis.exceptions import ConnectionError as NotConnected
from redis.exceptions import ReadOnlyError, ResponseError

from hephaestus_redis.script import Command

Land: TypeAlias = Callable[[Any], None]
"""Takes the reply to a command, or the error with which it was lost."""

LEAVING = (NotConnected, ReadOnlyError)
"""What a server replies that has no place for us, or is a replica by now."""


class Wire:
    """A connection of the driver's, on which replies are read while other flights are sent.

    What is lost with the connection lands as an error, and may have been carried out or not.
    """

    def __init__(self, connection: AbstractConnection) -> None:
        self.connection = connection
        self._loop = asyncio.get_running_loop()
        self._is_lost = False
        self._lands: deque[Land] = deque()
        self._reading: asyncio.Task[None] | None = None

    @property
    def is_open(self) -> bool:
        """Whether flights may be sent, from the event loop that it belongs to."""
        return (
            not self._is_lost
            and self.connection.is_connected
            and self._loop is asyncio.get_running_loop()
        )

    async def send(self, commands: Sequence[Command], lands: Iterable[Land]) -> None:
        """Send a flight, whatever else is under way; the reply to each command lands by itself."""
        self._lands.extend(lands)
        if self._reading is None:
            self._reading = asyncio.create_task(self._read(), name="hephaestus-redis-replies")
        try:
            packed = self.connection.pack_commands(commands)
            await self.connection.send_packed_command(packed, check_health=False)
        except BaseException as error:
            self._lose(error)
            raise

    async def _read(self) -> None:
        try:
            while self._lands:
                reply = await reply_over(self.connection)
                if isinstance(reply, LEAVING):
                    self._lose(reply)
                else:
                    self._lands.popleft()(reply)
        except BaseException as error:
            self._lose(error)
            if not isinstance(error, Exception):
                raise
        finally:
            self._reading = None

    def _lose(self, error: BaseException) -> None:
        """Send nothing more, and tell all who wait."""
        self._is_lost = True
        told = error if isinstance(error, Exception) else NotConnected("given up")
        lands, self._lands = self._lands, deque()
        for land in lands:
            land(told)


async def reply_over(connection: AbstractConnection) -> Any:
    """Return the next reply; what the server refuses is replied as an exception."""
    try:
        return await connection.read_response(disable_decoding=True)
    except ResponseError as error:
        return error

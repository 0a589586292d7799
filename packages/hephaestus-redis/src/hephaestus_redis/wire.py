"""Flights over a connection of the driver's: none waits for another, each reply lands at once."""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeAlias

from redis.asyncio.connection import AbstractConnection
from redis.exceptions import ConnectionError as NotConnected
from redis.exceptions import ReadOnlyError
from redis.exceptions import TimeoutError as TooSlow

from hephaestus_redis.resp import Incomplete, packed, parse
from hephaestus_redis.script import Command

Land: TypeAlias = Callable[[Any], None]
"""Takes the reply to a command, or the error with which it was lost."""

LEAVING = (NotConnected, ReadOnlyError)
"""What a server replies that has no place for us, or is a replica by now."""


class Wire(asyncio.Protocol):
    """Takes a connection over once the driver has greeted the server and logged in.

    What is lost with the connection lands as an error, and may have been carried out or not.
    """

    def __init__(self, connection: AbstractConnection, transport: asyncio.Transport) -> None:
        self.connection = connection
        self.is_open = True
        self._transport = transport
        self._driver = transport.get_protocol()
        self._silence = connection.socket_timeout
        self._loop = asyncio.get_running_loop()
        self._alarm: asyncio.TimerHandle | None = None
        self._heard = 0.0
        self._lands: deque[Land] = deque()
        self._unread = b""
        transport.set_protocol(self)

    @classmethod
    def over(cls, connection: AbstractConnection) -> "Wire | None":
        """Return a wire over a connection, if it is of the kind and speaks the older protocol."""
        transport = getattr(getattr(connection, "_writer", None), "transport", None)
        if transport is None or str(connection.protocol) != "2":
            return None
        return cls(connection, transport)

    def send(self, commands: Sequence[Command], lands: Iterable[Land]) -> None:
        """Send a flight, whatever else is under way; the reply to each command lands by itself."""
        if not self._lands:
            self._heard = self._loop.time()
        self._lands.extend(lands)
        self._transport.write(b"".join([packed(command) for command in commands]))
        if self._silence and self._alarm is None:
            self._alarm = self._loop.call_later(self._silence, self._listen)

    def lose(self, error: Exception) -> None:
        """Give the connection up, and all that waits for it."""
        self.is_open = False
        self._transport.abort()
        if self._alarm is not None:
            self._alarm.cancel()
        lands, self._lands = self._lands, deque()
        for land in lands:
            land(error)

    def data_received(self, data: bytes) -> None:
        """Hand over the replies that have come."""
        self._heard = self._loop.time()
        data = self._unread + data if self._unread else data
        at = 0
        try:
            while self._lands:
                reply, at = parse(data, at)
                if isinstance(reply, LEAVING):
                    self.lose(reply)
                    return
                self._lands.popleft()(reply)
        except Incomplete:
            pass
        except ValueError as error:
            self.lose(NotConnected(f"what came is no reply: {error}"))
            return
        self._unread = data[at:]
        if self._unread and not self._lands:
            self.lose(NotConnected("the server has said what nobody asked"))

    def connection_lost(self, error: Exception | None) -> None:
        """Tell the driver, and all that waits."""
        self._driver.connection_lost(error)
        self.lose(NotConnected(str(error or "the server has closed the connection")))

    def _listen(self) -> None:
        """Lose the connection if it has been silent for too long."""
        self._alarm = None
        if not self._lands:
            return
        assert self._silence  # noqa: S101  # else there is no alarm
        left = self._heard + self._silence - self._loop.time()
        if left > 0:
            self._alarm = self._loop.call_later(left, self._listen)
        else:
            self.lose(TooSlow("Timeout reading from the server"))

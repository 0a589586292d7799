"""How commands reach a server: over connections of a pool, or through a cluster's client."""

from collections.abc import Sequence
from typing import Any, Protocol

from redis.asyncio import Redis, RedisCluster
from redis.asyncio.connection import AbstractConnection, ConnectionPool
from redis.client import NEVER_DECODE
from redis.exceptions import ConnectionError as NotConnected

from hephaestus.errors import InvalidArgument
from hephaestus_redis.script import Command
from hephaestus_redis.wire import Wire, reply_over

_ROOMY = 8
"""A pool of fewer connections is for taking turns: none of them is kept."""


class Link(Protocol):
    """Sends commands in one go."""

    @property
    def wire(self) -> Wire | None:
        """A connection at hand, over which flights need not wait for each other."""
        ...

    async def send(self, commands: Sequence[Command], *, writes: bool) -> list[Any]:
        """Return the reply to each; what the server refuses is replied as an exception.

        Args:
            writes: Whether one of the commands may change something.
        """
        ...

    async def let_go(self) -> None:
        """Give back what is kept."""
        ...


def link_to(client: "Redis | RedisCluster", *, keeps: bool = False) -> Link:
    """Return the link that a client stands for.

    Args:
        keeps: Keep a connection at hand, where the client has some.

    Raises:
        InvalidArgument: It is no client of redis-py's asyncio kind.
    """
    match client:
        case Redis():
            return Pooled(client.connection_pool, keeps=keeps)
        case RedisCluster():
            return Clustered(client)
    raise InvalidArgument(
        "RedisStorage takes a URL, a redis.asyncio.Redis or a redis.asyncio.RedisCluster, "
        f"not {client!r}"
    )


class Pooled:
    """Connections of a pool, one for each flight.

    A connection may have died while it was idle, or dies now: then the flight is repeated, once
    and over a new one, for every verb of a storage may be repeated. How often connecting is tried
    is for the pool's connections to say.

    Args:
        keeps: Keep one as a wire, until that is lost.
    """

    def __init__(self, pool: ConnectionPool, *, keeps: bool = False) -> None:
        self._pool = pool
        self._keeps = keeps and pool.max_connections >= _ROOMY
        self._kept: Wire | None = None

    @property
    def wire(self) -> Wire | None:
        """The connection that is kept, unless it was lost."""
        return self._kept if self._kept is not None and self._kept.is_open else None

    async def send(self, commands: Sequence[Command], *, writes: bool) -> list[Any]:  # noqa: ARG002  # all the same here
        """Send over a connection of the pool."""
        if self.wire is None:
            await self.let_go()  # one that was lost: it may be the only one that the pool has
        connection = await self._pool.get_connection()  # type: ignore[no-untyped-call]  # it says nothing of itself
        try:
            try:
                return await _fly(connection, commands)
            except NotConnected:
                await connection.disconnect(nowait=True)
                await connection.connect()
                return await _fly(connection, commands)
        except BaseException:
            # Replies may still come in, which nobody must take for those of the next flight.
            await connection.disconnect(nowait=True)
            raise
        finally:
            await self._put_by(connection)

    async def let_go(self) -> None:
        """Give the connection back that is kept."""
        kept, self._kept = self._kept, None
        if kept is not None:
            await kept.connection.disconnect(nowait=True)
            await self._pool.release(kept.connection)

    async def _put_by(self, connection: AbstractConnection) -> None:
        """Keep a connection that works, if that is wanted and none is kept, or give it back."""
        if self._keeps and connection.is_connected and self._kept is None:
            self._kept = Wire(connection)
        else:
            await self._pool.release(connection)


class Clustered:
    """The client of a cluster, which finds the node of the namespace and follows it."""

    wire = None

    def __init__(self, cluster: RedisCluster) -> None:
        self._cluster = cluster

    async def send(self, commands: Sequence[Command], *, writes: bool) -> list[Any]:  # noqa: ARG002  # all the same here
        """Send to the node that has the namespace."""
        pipeline = self._cluster.pipeline()
        for command in commands:
            _ = pipeline.execute_command(*command, **{NEVER_DECODE: True})
        replies: list[Any] = await pipeline.execute(raise_on_error=False)
        return replies

    async def let_go(self) -> None:
        """Do nothing: the client keeps its connections."""


async def _fly(connection: AbstractConnection, commands: Sequence[Command]) -> list[Any]:
    await connection.send_packed_command(connection.pack_commands(commands))
    return [await reply_over(connection) for _ in commands]

"""How commands reach a server: over connections of a pool, or through a cluster's client."""

from collections.abc import Sequence
from typing import Any, Protocol

from redis.asyncio import Redis, RedisCluster
from redis.asyncio.connection import AbstractConnection, ConnectionPool
from redis.client import NEVER_DECODE
from redis.exceptions import ConnectionError as NotConnected
from redis.exceptions import ResponseError

from hephaestus.errors import InvalidArgument
from hephaestus_redis.script import Command


class Link(Protocol):
    """Sends commands in one go."""

    async def send(self, commands: Sequence[Command], *, writes: bool) -> list[Any]:
        """Return the reply to each; what the server refuses is replied as an exception.

        Args:
            writes: Whether one of the commands may change something.
        """
        ...


def link_to(client: "Redis | RedisCluster") -> Link:
    """Return the link that a client stands for.

    Raises:
        InvalidArgument: It is no client of redis-py's asyncio kind.
    """
    match client:
        case Redis():
            return Pooled(client.connection_pool)
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
    """

    def __init__(self, pool: ConnectionPool) -> None:
        self._pool = pool

    async def send(self, commands: Sequence[Command], *, writes: bool) -> list[Any]:  # noqa: ARG002  # all the same here
        """Send over a connection of the pool."""
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
            await self._pool.release(connection)


class Clustered:
    """The client of a cluster, which finds the node of the namespace and follows it."""

    def __init__(self, cluster: RedisCluster) -> None:
        self._cluster = cluster

    async def send(self, commands: Sequence[Command], *, writes: bool) -> list[Any]:  # noqa: ARG002  # all the same here
        """Send to the node that has the namespace."""
        pipeline = self._cluster.pipeline()
        for command in commands:
            _ = pipeline.execute_command(*command, **{NEVER_DECODE: True})
        replies: list[Any] = await pipeline.execute(raise_on_error=False)
        return replies


async def _fly(connection: AbstractConnection, commands: Sequence[Command]) -> list[Any]:
    await connection.send_packed_command(connection.pack_commands(commands))
    return [await _reply(connection) for _ in commands]


async def _reply(connection: AbstractConnection) -> Any:
    try:
        return await connection.read_response(disable_decoding=True)
    except ResponseError as error:
        return error

"""Servers as the tests see them, and the keys that they hold."""

import secrets
import socket
from pathlib import Path
from typing import Any, Protocol

from redis.asyncio import Redis


class Launch(Protocol):
    """Starts a server with these options, beside `own_redis_server`, and returns its URL."""

    def __call__(self, *options: str, config: str | None = None) -> str: ...


PORTS = range(10_000, 20_000)
"""Neither what systems hand out by themselves nor what the servers of the fixtures take."""


class Server(Protocol):
    """What the fixture `own_redis_server` offers."""

    url: str
    programs: Path
    place: Any

    def kill(self) -> None: ...
    def restart(self) -> None: ...
    def begin(self, *command: str) -> Any: ...


def port_of(url: str) -> str:
    """Return the port of a URL."""
    return url.rpartition(":")[2].partition("/")[0]


def free_port() -> int:
    """Return a port that nobody listens on."""
    while True:
        port = secrets.choice(PORTS)
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)):
                return port


def answers(port: int) -> bool:
    """Return whether a server on this port is ready."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
            connection.sendall(b"PING\r\n")
            return connection.recv(16).startswith(b"+PONG")
    except OSError:
        return False


async def keys_of(client: Redis, namespace: str) -> list[str]:
    """Return all keys that contain a namespace, sorted."""
    return sorted([key.decode() async for key in client.scan_iter(match=f"*{namespace}*")])

"""The servers that everybody is measured on: started when first needed, the same for all."""

import asyncio
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

from bench.contract import Job, ServerName, Setting
from servers import postgres, rabbitmq, redis
from servers.server import Server
from servers.source import Missing

SOURCES = {"postgres": postgres, "redis": redis, "rabbitmq": rabbitmq}


class NoServer(Exception):
    """A job needs a server that is not to be had."""

    def __init__(self, missing: Missing) -> None:
        super().__init__(missing)
        self.missing = missing

    def __str__(self) -> str:
        return str(self.missing)


class Backends:
    """The servers of one run of the benchmark, with their defaults: fsync, synchronous_commit.

    Args:
        running: Servers that run already, and go on after it.
    """

    def __init__(self, running: Mapping[ServerName, Server] | None = None) -> None:
        self._servers: dict[ServerName, Server] = dict(running or {})
        self._stack = ExitStack()

    @property
    def versions(self) -> dict[str, str]:
        """What was started, by name."""
        return {name: server.version for name, server in sorted(self._servers.items())}

    def url(self, name: ServerName) -> str:
        """Return where a server is.

        Raises:
            NoServer: There is none.
        """
        if name not in self._servers:
            source = rabbitmq.provide() if name == "rabbitmq" else SOURCES[name].find()
            if isinstance(source, Missing):
                raise NoServer(source)
            server = SOURCES[name].server_from(source)
            self._servers[name] = self._stack.enter_context(server)
        return self._servers[name].url

    @contextmanager
    def setting(self, job: Job, size: float) -> Iterator[Setting]:
        """Give what one measurement of a job needs, with nothing of earlier ones in it."""
        name = f"bench{uuid4().hex[:12]}"
        urls = {server: self.url(server) for server in sorted(job.needs)}
        database = urls.get("postgres", "")
        if database:
            execute(database, f"CREATE DATABASE {name}")
        try:
            yield Setting(
                size=size,
                name=name,
                postgres=database and database_of(database, name),
                redis=urls.get("redis", ""),
                rabbitmq=urls.get("rabbitmq", ""),
            )
        finally:
            if database:
                execute(database, f"DROP DATABASE {name} WITH (FORCE)")
            if "redis" in urls:
                redis.remove_keys(urls["redis"], f"*{name}*")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stack.close()


def database_of(url: str, name: str) -> str:
    """Return the URL of another database of the same server."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


def execute(url: str, statement: str) -> list[dict[str, Any]]:
    """Run one statement, outside of any transaction, and return its rows."""
    with ThreadPoolExecutor(max_workers=1) as thread:
        return thread.submit(asyncio.run, _execute(url, statement)).result()


async def _execute(url: str, statement: str) -> list[dict[str, Any]]:
    import asyncpg  # late: whoever measures has no need of it

    connection = await asyncpg.connect(url, timeout=10)
    try:
        return [dict(row) for row in await connection.fetch(statement)]
    finally:
        await connection.close(timeout=10)

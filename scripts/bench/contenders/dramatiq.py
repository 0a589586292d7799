"""This project's workflows on a worker of Dramatiq, and messages that do nothing on the same."""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from itertools import count
from typing import Any

from bench.contract import Contender, Setting
from bench.jobs.dramatiq import RABBITMQ, REDIS, THREADS, Queue
from bench.workers import place

_STARTERS = 50
_LOOK = 0.01


class _Workflows:
    """Starts runs, and asks the storage how far they are."""

    def __init__(self, app: Any, workflow: Any) -> None:
        self._app = app
        self._workflow = workflow
        self._numbers = count()
        self._started = 0

    async def burst(self, count: int) -> float:
        began = time.perf_counter()
        left = iter(range(count))

        async def start() -> None:
            for _ in left:
                await self._start()

        await asyncio.gather(*(start() for _ in range(_STARTERS)))
        while await self._unfinished():  # noqa: ASYNC110 - what changes is in a database
            await asyncio.sleep(_LOOK)
        return time.perf_counter() - began

    async def single(self) -> float:
        began = time.time()
        run = await (await self._start()).wait()
        finished: float = run.finished_at.timestamp()
        return finished - began

    async def _unfinished(self) -> int:
        finished: int = await self._app.count(status="completed")
        return self._started - finished

    async def _start(self) -> Any:
        number = next(self._numbers)
        self._started += 1
        return await self._workflow.start(str(number), {"number": number})


class _Messages:
    """Sends messages, and hears of the last of them."""

    def __init__(self, actor: Any, ends: "asyncio.Queue[float]") -> None:
        self._actor = actor
        self._ends = ends
        self._sent = 0

    async def burst(self, count: int) -> float:
        began = time.time()
        self._sent += count
        await asyncio.to_thread(self._send, count)
        return await self._ends.get() - began

    async def single(self) -> float:
        return await self.burst(1)

    def _send(self, count: int) -> None:
        for _ in range(count):
            self._actor.send(self._sent)


@asynccontextmanager
async def workflows(setting: Setting, *, broker: str, storage: str) -> AsyncIterator[Queue]:
    """Open an app that sends, beside a worker that executes."""
    variables = place.environ(setting, broker=broker, storage=storage)
    os.environ.update(variables)
    from bench.workers import ours

    if storage == "postgres":
        await ours.storage.migrate()  # type: ignore[attr-defined]  # a PostgresStorage has it
    with _worker("bench.workers.ours", variables):
        async with ours.app:
            queue = _Workflows(ours.app, ours.Line)
            await queue.single()
            yield queue
    _forget(ours.broker)


@asynccontextmanager
async def messages(setting: Setting, *, broker: str) -> AsyncIterator[Queue]:
    """Connect to the broker, beside a worker that does nothing."""
    ends: asyncio.Queue[float] = asyncio.Queue()

    async def hear(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            ends.put_nowait(float(line))

    server = await asyncio.start_server(hear, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    variables = {**place.environ(setting, broker=broker, storage=""), "BENCH_PORT": str(port)}
    os.environ.update(variables)
    from bench.workers import noop

    with _worker("bench.workers.noop", variables):
        queue = _Messages(noop.noop, ends)
        await queue.single()
        yield queue
    server.close()
    _forget(noop.broker)


@contextmanager
def _worker(module: str, variables: Mapping[str, str]) -> Iterator[None]:
    """Run the command `dramatiq` with one process."""
    command = [sys.executable, "-m", "dramatiq", module, "--processes", "1"]
    # An idle worker looks for messages this often; RabbitMQ wakes it by itself.
    environ = {**os.environ, **variables, "dramatiq_worker_timeout": "100"}
    worker = subprocess.Popen([*command, "--threads", str(THREADS)], env=environ, stdout=2)
    try:
        yield
    finally:
        worker.terminate()
        worker.wait(timeout=30)


def _forget(broker: Any) -> None:
    """Remove the queues: a broker of somebody else's is left as it was."""
    channel = getattr(broker, "channel", None)
    if channel is not None:
        from dramatiq.common import dq_name, xq_name

        for queue in sorted(broker.queues):
            for name in (queue, dq_name(queue), xq_name(queue)):
                channel.queue_delete(name)
    broker.close()


_SETTINGS = f"one worker process of {THREADS} threads, dramatiq_worker_timeout=100"
_DRAMATIQ = ("hephaestus-core", "hephaestus-dramatiq", "dramatiq")
CONTENDERS = (
    *(
        Contender(
            name=name,
            job=job,
            title=f"Hephaestus, DramatiqRunner, {title}",
            distributions=_DRAMATIQ,
            open=partial(workflows, broker=broker, storage=name.replace("hephaestus", "postgres")),
            ours=name == "hephaestus",
            note=f"{_SETTINGS}, 100 steps at once as by default; started from another process, "
            f"{_STARTERS} starts at a time",
        )
        for job, broker in ((RABBITMQ, "rabbitmq"), (REDIS, "redis"))
        for name, title in (("hephaestus", "PostgresStorage"), ("redis", "RedisStorage"))
        if (job, name) != (RABBITMQ, "redis")
    ),
    *(
        Contender(
            name="floor",
            job=job,
            title="the floor: one message that does nothing",
            distributions=("dramatiq",),
            open=partial(messages, broker=broker),
            note=f"{_SETTINGS}; sent from a thread of another process",
        )
        for job, broker in ((RABBITMQ, "rabbitmq"), (REDIS, "redis"))
    ),
)

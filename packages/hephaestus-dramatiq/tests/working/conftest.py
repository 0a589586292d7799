"""An app with a worker beside it, in this process."""

from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from typing import Any

import pytest
from dramatiq import Broker, Message, Middleware

from hephaestus import Hephaestus, MemoryStorage
from hephaestus.testing.runner.stage import Stage
from stacks.runners import WorkingRunner
from stacks.stub import SharedStubBroker, StubServer


class Spy(Middleware):
    """Remembers what was sent."""

    def __init__(self) -> None:
        self.sent: list[Message[Any]] = []

    def before_enqueue(self, broker: Broker, message: Message[Any], delay: int | None) -> None:
        """Remember a message; one that comes out of the delay queue was sent before."""
        self.sent.append(message)

    def actors(self) -> list[str]:
        """Return the actors of the messages, in order."""
        return [message.actor_name for message in self.sent]


class Bench:
    """Opens apps on one storage and one stub of a broker's server."""

    def __init__(self, stack: AsyncExitStack) -> None:
        self._stack = stack
        self.server = StubServer()
        self.storage = MemoryStorage()
        self.spy = Spy()

    def connect(self) -> SharedStubBroker:
        """Return a broker whose messages are seen."""
        broker = self.server.connect()
        broker.add_middleware(self.spy)
        return broker

    async def open(self, **options: Any) -> Hephaestus:
        """Open an app with a worker."""
        told = {"concurrency": 8, "poll": 0.02, "grace": 5, **options}
        runner = WorkingRunner(self.connect(), queue="steps", **told)
        return await self._stack.enter_async_context(Hephaestus(self.storage, runner))


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    """Return where apps are opened that close after the test."""
    async with AsyncExitStack() as stack:
        yield Bench(stack)


@pytest.fixture
def stage() -> Iterator[Stage]:
    """Return the stage on which the steps of this test act."""
    stage = Stage()
    yield stage
    stage.close()

"""A StubBroker whose queues outlive it, as those of a server do."""

from collections import defaultdict
from collections.abc import Iterable
from queue import Queue
from typing import Any

from dramatiq.broker import Consumer, MessageProxy
from dramatiq.brokers.stub import StubBroker
from dramatiq.common import dq_name


class StubServer:
    """The queues that several brokers share."""

    def __init__(self) -> None:
        self.queues: dict[str, Queue[bytes]] = {}
        self.dead_letters: defaultdict[str, list[MessageProxy]] = defaultdict(list)

    def connect(self) -> "SharedStubBroker":
        """Return a broker on these queues."""
        return SharedStubBroker(self)


class SharedStubBroker(StubBroker):
    """A connection to a `StubServer`; what it has fetched and not begun goes back when it ends."""

    def __init__(self, server: StubServer) -> None:
        self._declared: set[str] = set()
        super().__init__()
        self.queues = server.queues
        self.dead_letters_by_queue = server.dead_letters

    def declare_queue(self, queue_name: str) -> None:
        """Declare a queue for this connection, and make it where it is the first."""
        if queue_name in self._declared:
            return
        self._declared.add(queue_name)
        delayed_name = dq_name(queue_name)
        self.emit_before("declare_queue", queue_name)
        for name in (queue_name, delayed_name):
            self.queues.setdefault(name, Queue())
        self.emit_after("declare_queue", queue_name)
        self.delay_queues.add(delayed_name)
        self.emit_after("declare_delay_queue", delayed_name)

    def get_declared_queues(self) -> set[str]:
        """Return the queues of this connection."""
        return set(self._declared)

    def consume(self, queue_name: str, prefetch: int = 1, timeout: int = 100) -> Consumer:
        """Return a consumer that gives back what was not begun."""
        consumer: Any = super().consume(queue_name, prefetch, timeout)

        def requeue(messages: Iterable[MessageProxy]) -> None:
            for message in messages:
                self.queues[queue_name].put(message.encode())
                self.queues[queue_name].task_done()

        consumer.requeue = requeue
        found: Consumer = consumer
        return found

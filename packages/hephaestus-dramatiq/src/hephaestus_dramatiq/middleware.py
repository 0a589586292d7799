"""The middleware that opens the app in a worker, and closes it."""

# ruff: noqa: ARG002  # Dramatiq calls a hook with all that it has, by position

import threading
from collections.abc import Collection
from typing import Any, Protocol

from dramatiq import Broker, Middleware, Worker
from dramatiq.broker import MessageProxy
from dramatiq.common import q_name
from dramatiq.worker import ConsumerThread

from hephaestus_dramatiq.failures import UnreadableMessage


class Host(Protocol):
    """Who hears of the life of a worker."""

    def worker_boots(self, worker: Worker) -> None:
        """Begin to execute, once the app is open."""
        ...

    def consumer_boots(self, consumer: ConsumerThread) -> None:
        """Take messages from a queue of ours, once the app is open."""
        ...

    def worker_shuts_down(self) -> None:
        """Begin nothing more, and let what runs end."""
        ...

    def worker_is_down(self) -> None:
        """Close what was opened for the worker."""
        ...


class HephaestusMiddleware(Middleware):
    """Ties an app to the worker of its process; `DramatiqRunner` adds it to the broker.

    Args:
        host: Who hears of the worker.
        queues: The queues of our actors.
    """

    def __init__(self, host: Host, queues: Collection[str]) -> None:
        self._host = host
        self._queues = queues
        self._thread = threading.local()

    def current(self) -> MessageProxy:
        """Return the message that this thread is at."""
        message: MessageProxy = self._thread.message
        return message

    def before_worker_boot(self, broker: Broker, worker: Worker) -> None:
        """Open the app, on an event loop of its own."""
        self._host.worker_boots(worker)

    def after_consumer_thread_boot(self, broker: Broker, thread: ConsumerThread) -> None:
        """Let our queues wait for the app; other actors on other queues go on."""
        if q_name(thread.queue_name) in self._queues:
            self._host.consumer_boots(thread)

    def before_worker_shutdown(self, broker: Broker, worker: Worker) -> None:
        """Begin nothing more; from here the steps that run have their grace period to end."""
        self._host.worker_shuts_down()

    def after_worker_shutdown(self, broker: Broker, worker: Worker) -> None:
        """Close the app."""
        self._host.worker_is_down()

    def before_process_message(self, broker: Broker, message: MessageProxy) -> None:
        """Remember the message for our actors."""
        self._thread.message = message

    def after_process_message(
        self,
        broker: Broker,
        message: MessageProxy,
        *,
        result: Any | None = None,
        exception: BaseException | None = None,
    ) -> None:
        """Make a dead letter of what is unreadable, whoever else minds."""
        if isinstance(exception, UnreadableMessage):
            message.fail()

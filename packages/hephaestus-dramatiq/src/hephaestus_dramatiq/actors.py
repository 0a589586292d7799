"""The three actors: threads of a Dramatiq worker hand their messages to the event loop."""

import logging
from collections.abc import Callable
from typing import Any, Protocol

import dramatiq
from dramatiq import Broker
from dramatiq.broker import MessageProxy

from hephaestus.errors import HephaestusError, InvalidArgument, StorageUnavailable, UnknownWorkflow
from hephaestus_dramatiq.envelopes import Envelopes
from hephaestus_dramatiq.failures import (
    FIRST_PAUSE,
    MAX_RETRIES,
    Closing,
    NotOpen,
    UnreadableMessage,
    later,
    milliseconds,
)
from hephaestus_dramatiq.messages import About, Advance, ExecuteStep, M, Resume, read
from hephaestus_dramatiq.routes import Routes

_log = logging.getLogger("hephaestus.dramatiq")
_HOPS = "hephaestus_hops"
_MOST_HOPS = 10
"""How often a message is passed on by workers that do not know its workflow."""

_FIRST_HOP = 250
_LONGEST_HOP = 2000
"""Milliseconds until the next worker sees it; they double with each hop."""

_ORCHESTRATION_PRIORITY = -10
"""What executes no step is quick, and comes first."""


class Receiver(Protocol):
    """Who carries messages out; each call returns when its thread is free again."""

    def execute_step(self, order: ExecuteStep, queue: str) -> None:
        """Execute a step, and what follows it."""
        ...

    def advance(self, order: About) -> None:
        """Look at a run."""
        ...

    def send(self, message: "dramatiq.Message[None]", delay: int | None = None) -> None:
        """Send a message, after so many milliseconds."""
        ...


class Actors:
    """Declares the actors on a broker, and says what becomes of messages that fail.

    Args:
        current: Returns the message that this thread is at.
    """

    def __init__(
        self, receiver: Receiver, envelopes: Envelopes, current: Callable[[], MessageProxy]
    ) -> None:
        self._receiver = receiver
        self._envelopes = envelopes
        self._current = current
        self._strangers: set[str] = set()

    def declare(self, broker: Broker, *, orchestration: str, routes: Routes) -> None:
        """Declare all actors and queues; an actor for each priority that a step may have."""
        for priority in routes.priorities():
            name = self._envelopes.actor_name(ExecuteStep, priority)
            _declare(broker, self.execute_step, name, routes.queue, priority)
        for queue in routes.queues():
            broker.declare_queue(queue)
        for kind, function in ((Advance, self.advance), (Resume, self.resume)):
            name = self._envelopes.actor_name(kind)
            _declare(broker, function, name, orchestration, _ORCHESTRATION_PRIORITY)

    def execute_step(self, *args: object, **fields: Any) -> None:
        """Execute a step, and what follows it."""

        def perform(order: ExecuteStep) -> None:
            self._receiver.execute_step(order, self._current().queue_name)

        self._carry_out(ExecuteStep, perform, args, fields)

    def advance(self, *args: object, **fields: Any) -> None:
        """Look at a run of which something may be due."""
        self._carry_out(Advance, self._receiver.advance, args, fields)

    def resume(self, *args: object, **fields: Any) -> None:
        """Let a run take an event."""
        self._carry_out(Resume, self._receiver.advance, args, fields)

    def _carry_out(
        self,
        kind: type[M],
        perform: Callable[[M], None],
        args: tuple[object, ...],
        fields: dict[str, Any],
    ) -> None:
        message = self._current()
        try:
            order = read(kind, args, fields)
        except UnreadableMessage as error:
            _log.error("%s", error)
            raise
        try:
            perform(order)
        except (StorageUnavailable, NotOpen) as error:
            _log.warning("%s; message %s comes again", error, message)
            raise later(error, message.options.get("retries", 0)) from error
        except Closing:
            self._receiver.send(message.copy())
        except UnknownWorkflow as error:
            self._pass_on(message, error)
        except HephaestusError as error:
            _log.warning("message %s comes to nothing: %s", message, error)

    def _pass_on(self, message: MessageProxy, error: UnknownWorkflow) -> None:
        """Leave a message to another worker; where all are like this one, to who looks for due."""
        hops = message.options.get(_HOPS, 0) + 1
        if hops > _MOST_HOPS:
            _log.warning("%s; nobody else took message %s, which ends here", error, message)
            return
        # Where workers differ on purpose it is no news; a forgotten import shows nowhere else.
        level = logging.INFO if error.workflow in self._strangers else logging.WARNING
        self._strangers.add(error.workflow)
        _log.log(level, "%s; message %s is passed on", error, message)
        delay = min(_FIRST_HOP * 2 ** (hops - 1), _LONGEST_HOP)
        self._receiver.send(message.copy(options={_HOPS: hops}), delay)


def _declare(
    broker: Broker, function: Callable[..., None], name: str, queue: str, priority: int
) -> None:
    """Declare an actor with what its broker's middleware has options for."""
    options: dict[str, Any] = {
        # Steps have time limits of their own, and a step is no thread of Dramatiq's.
        "time_limit": float("inf"),
        "max_retries": MAX_RETRIES,
        "min_backoff": milliseconds(FIRST_PAUSE),
        "throws": UnreadableMessage,
    }
    known: dict[str, Any] = {
        key: value for key, value in options.items() if key in broker.actor_options
    }
    try:
        declare = dramatiq.actor(
            broker=broker, actor_name=name, queue_name=queue, priority=priority, **known
        )
        declare(function)
    except ValueError as error:
        # The name of a queue is not valid, or another runner uses the same names.
        raise InvalidArgument(
            f"{error} (give each runner of a broker a prefix= of its own)"
        ) from error

"""Which queue a message goes to, and with which priority."""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from hephaestus.errors import InvalidArgument
from hephaestus.steps import key_of


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """Where the messages of one step go."""

    queue: str | None = None
    """The queue; that of all other steps if left out."""

    priority: int = 0
    """As of a Dramatiq actor: of what a worker has fetched, lower numbers come first."""

    broker_priority: int | None = None
    """As RabbitMQ counts in a queue with `max_priority`: higher numbers come first."""


class Routes:
    """The route of every step.

    Args:
        queue: Where steps go that have no queue of their own.
        special: The routes of the others, by step or key.
    """

    def __init__(self, queue: str, special: Mapping[Any, Route]) -> None:
        self._usual = Route(queue=queue)
        self._by_key: dict[str, Route] = {}
        for step, route in special.items():
            if not isinstance(route, Route):
                raise InvalidArgument(f"the route of {key_of(step)!r} is a Route, not {route!r}")
            whole = msgspec.structs.replace(route, queue=route.queue or queue)
            self._by_key[key_of(step)] = whole

    def of(self, step: str) -> Route:
        """Return the route of a step, by its key."""
        return self._by_key.get(step, self._usual)

    def queue_of(self, step: str) -> str:
        """Return the queue of a step, by its key."""
        return self.of(step).queue or ""

    def queues(self) -> Iterable[str]:
        """Return every queue that a step may go to."""
        return dict.fromkeys(route.queue or "" for route in (self._usual, *self._by_key.values()))

    def priorities(self) -> Iterable[int]:
        """Return every priority that a step may have."""
        return dict.fromkeys(route.priority for route in (self._usual, *self._by_key.values()))

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


_USUAL = Route()


class Routes:
    """The route of every step.

    Args:
        queue: Where steps go that have no queue of their own.
        special: The routes of the others, by step or key.

    Raises:
        InvalidArgument: What leads from a step is no `Route`, or what it leads from is no step.
    """

    def __init__(self, queue: str, special: Mapping[Any, Route]) -> None:
        self.queue = queue
        self._special: dict[str, Route] = {}
        for step, route in special.items():
            if not isinstance(route, Route):
                raise InvalidArgument(f"the route of {key_of(step)!r} is a Route, not {route!r}")
            self._special[key_of(step)] = route

    def of(self, step: str) -> Route:
        """Return the route of a step, by its key."""
        return self._special.get(step, _USUAL)

    def queue_of(self, step: str) -> str:
        """Return the queue of a step, by its key."""
        return self.of(step).queue or self.queue

    def queues(self) -> Iterable[str]:
        """Return every queue that a step may go to."""
        return dict.fromkeys([self.queue, *map(self.queue_of, self._special)])

    def priorities(self) -> Iterable[int]:
        """Return every priority that a step may have."""
        return dict.fromkeys([_USUAL.priority, *(r.priority for r in self._special.values())])

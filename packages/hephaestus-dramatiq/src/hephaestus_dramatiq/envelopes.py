"""Dramatiq messages about runs: their actor, queue, priority and labels."""

import itertools
import os
import secrets
from typing import Any

from dramatiq import Message

from hephaestus.instance import Instance
from hephaestus_dramatiq.labels import labels
from hephaestus_dramatiq.messages import About, Advance, ExecuteStep, Resume
from hephaestus_dramatiq.routes import Routes


class Envelopes:
    """Makes the messages of one app.

    Args:
        prefix: What the names of the actors begin with.
        orchestration: The queue of what executes no step.
        metadata: Whether messages show metadata of the user's.
    """

    def __init__(self, *, prefix: str, orchestration: str, routes: Routes, metadata: bool) -> None:
        self._prefix = prefix
        self._orchestration = orchestration
        self._routes = routes
        self._metadata = metadata
        self.shows_returned = True
        """Whether messages show what steps returned as metadata, if they show any."""
        # A random id for each message would be the dearest part of it; a fork shares these.
        self._sender = secrets.token_hex(8)
        self._numbers = itertools.count(1)

    def actor_name(self, kind: type[About], priority: int = 0) -> str:
        """Return the name of an actor; a priority of its own makes an actor of its own."""
        name = f"{self._prefix}.{kind.actor}"
        return f"{name}.priority_{priority}" if priority else name

    def execute_step(self, instance: Instance, step: str) -> "Message[None]":
        """Return the message that asks for an active step of a run."""
        attempt = instance.active[step].attempt
        kwargs = {**_about(instance), "step": step, "attempt": attempt}
        options = labels(instance, step, users=self._metadata, returned=self.shows_returned)
        route = self._routes.of(step)
        if route.broker_priority is not None:
            options["broker_priority"] = route.broker_priority
        name = self.actor_name(ExecuteStep, route.priority)
        return self._message(self._routes.queue_of(step), name, kwargs, options)

    def advance(self, instance: Instance) -> "Message[None]":
        """Return the message that asks for a look at a run."""
        options = labels(instance, users=self._metadata)
        name = self.actor_name(Advance)
        return self._message(self._orchestration, name, _about(instance), options)

    def resume(self, instance: Instance, step: str, event: str) -> "Message[None]":
        """Return the message that tells of an event in a run's inbox."""
        kwargs = {**_about(instance), "step": step, "event": event}
        options = labels(instance, step, users=self._metadata)
        return self._message(self._orchestration, self.actor_name(Resume), kwargs, options)

    def _message(
        self, queue: str, actor: str, kwargs: dict[str, Any], options: dict[str, Any]
    ) -> "Message[None]":
        return Message(
            queue_name=queue,
            actor_name=actor,
            args=(),
            kwargs=kwargs,
            options=options,
            message_id=f"{self._sender}-{os.getpid()}-{next(self._numbers)}",
        )


def _about(instance: Instance) -> dict[str, Any]:
    return {
        "workflow": instance.workflow,
        "version": instance.workflow_version,
        "instance_id": instance.id,
        "run_id": instance.run_id,
    }

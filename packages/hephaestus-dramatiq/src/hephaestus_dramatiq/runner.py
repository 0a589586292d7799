"""DramatiqRunner: steps are messages, and Dramatiq's workers execute them."""

import asyncio
import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar

from dramatiq import Broker
from dramatiq.brokers.stub import StubBroker

from hephaestus import duration
from hephaestus.clock import Clock
from hephaestus.duration import Duration
from hephaestus.errors import InvalidArgument
from hephaestus.execution import RunnerVerbs
from hephaestus.instance import Instance
from hephaestus.message import EventPosted, Message
from hephaestus.runner import OpenableApp
from hephaestus.running import RunningApp
from hephaestus.storage import Owner, Storage
from hephaestus.watch import Watch
from hephaestus_dramatiq.actors import Actors
from hephaestus_dramatiq.envelopes import Envelopes
from hephaestus_dramatiq.host import WorkerHost
from hephaestus_dramatiq.middleware import HephaestusMiddleware
from hephaestus_dramatiq.routes import Route, Routes
from hephaestus_dramatiq.sender import Sender
from hephaestus_dramatiq.work import Work

_FIRST_LOOK = 0.02
"""Seconds after which one who waits for a run first looks: the commits are a worker's."""

_FLUSH = 5.0
"""Seconds that closing waits for the last messages to be sent."""


class DramatiqRunner(RunnerVerbs):
    """Sends steps to a broker, and executes what Dramatiq's workers of this process receive.

    Make it and its app where `dramatiq` imports them. A web process opens the app and sends; in
    a worker process nobody else opens it, so its middleware does, on an event loop of its own.

    Args:
        broker: Where messages go; it gets three actors and a middleware.
        queue: The queue of the steps.
        orchestration_queue: The queue of what executes no step: events, and looks at runs; that
            of the prefix and `.orchestration` if left out.
        routes: Queue and priority of single steps, by step or key.
        concurrency: How many steps a worker process executes at once: by default 100, or as many
            as it has threads if those are more. It has no more threads than that. A thread is let
            go as soon as a step is leased, unless a plain function or a transactional step may
            follow in its line.
        prefetch: How many messages of a queue a worker process fetches ahead, those under way
            among them; as Dramatiq says if left out.
        lease: How long a step stays with a process that shows no life, before another takes it.
        poll: How often workers look for due runs.
        grace: How long a worker that stops lets running steps end, before it gives them back.
        name: The same at each start of one worker of one process; then it takes over at once
            what its earlier self left, instead of waiting for the leases to end.
        metadata: Whether messages show the metadata of workflows and of runs; those of runs never
            where the storage's codec has a hook.
        prefix: What the names of the actors begin with; two apps on one broker differ in it, and
            in `queue`.

    Raises:
        InvalidArgument: An argument has a value that it cannot take.
    """

    name: ClassVar[str] = "dramatiq"

    def __init__(
        self,
        broker: Broker,
        *,
        queue: str = "hephaestus",
        orchestration_queue: str | None = None,
        routes: Mapping[Any, Route] | None = None,
        concurrency: int | None = None,
        prefetch: int | None = None,
        lease: Duration = 15,
        poll: Duration = 1,
        grace: Duration = 10,
        name: str | None = None,
        metadata: bool = True,
        prefix: str = "hephaestus",
    ) -> None:
        self._lease = duration.positive(lease, "lease=")
        self._poll = duration.positive(poll, "poll=")
        self._grace = duration.parse(grace, "grace=")
        self._worker = name
        self.broker = broker
        self.watch = Watch(first_look=_FIRST_LOOK)
        self._work: Work | None = None
        orchestration = orchestration_queue or f"{prefix}.orchestration"
        self._routes = Routes(queue, routes or {})
        self._envelopes = Envelopes(
            prefix=prefix,
            orchestration=orchestration,
            routes=self._routes,
            metadata=metadata,
        )
        self._sender = Sender(broker)
        self._host = WorkerHost(
            self._sender,
            concurrency=_count(concurrency, "concurrency="),
            prefetch=_count(prefetch, "prefetch="),
            grace=self._grace,
        )
        queues = {*self._routes.queues(), orchestration}
        middleware = HephaestusMiddleware(self._host, queues)
        actors = Actors(self._host, self._envelopes, middleware.current)
        actors.declare(broker, orchestration=orchestration, routes=self._routes)
        broker.add_middleware(middleware)

    def attach(self, app: OpenableApp) -> None:
        """Hear of the app, which a worker has to open."""
        self._host.attach(app)

    async def open(self, app: RunningApp, storage: Storage, clock: Clock) -> None:
        """Begin to send; where Dramatiq works in this process, to execute what is due as well.

        Raises:
            InvalidArgument: It serves another app, or no worker could reach the storage.
        """
        if self._work is not None:
            raise InvalidArgument("this DramatiqRunner serves an app already; give each its own")
        if not storage.durable and not isinstance(self.broker, StubBroker):
            raise InvalidArgument(
                f"workers cannot reach {type(storage).__name__}, which this process alone has; "
                "use hephaestus-postgres or hephaestus-redis, or a StubBroker in a test"
            )
        self._envelopes.shows_returned = not storage.codec.hooked
        self._sender.start()
        self._work = Work(
            app=app,
            storage=storage,
            clock=clock,
            watch=self.watch,
            owner=Owner(incarnation=secrets.token_hex(8), name=self._worker),
            lease=self._lease,
            poll=self._poll,
            envelopes=self._envelopes,
            routes=self._routes,
            sender=self._sender,
            runner=self.name,
        )
        self._serve(self._work.execution, storage, clock)
        self._host.opened(self._work)

    async def close(self) -> None:
        """Let running steps end within the grace period, and send what waits to be sent."""
        work = self._work
        if work is None:
            return
        self._host.closed()
        try:
            await work.close(self._grace)
        finally:
            self._work = None
            await asyncio.to_thread(self._sender.close, _FLUSH)

    def _hint(self, instance: Instance, message: Message | None) -> None:
        """Tell a worker, or remember when the message may be applied."""
        match message:
            case Message(not_before=datetime() as at):
                if self._work is not None:
                    self._work.note(at)
            case Message(body=EventPosted(step=step, event=event)):
                self._sender.send(self._envelopes.resume(instance, step, event))
            case _:
                self._sender.send(self._envelopes.advance(instance))


def _count(value: int | None, name: str) -> int | None:
    if value is not None and (type(value) is not int or value < 1):
        raise InvalidArgument(f"{name} is a whole number from 1, not {value!r}")
    return value

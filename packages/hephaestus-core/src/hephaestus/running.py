"""The apps that run in this process, and which of them is meant."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Protocol

from hephaestus import fork
from hephaestus.errors import InvalidArgument, NoApp, SeveralApps
from hephaestus.handle import Handle, Verbs
from hephaestus.instance import Instance


class RunningApp(Verbs, Protocol):
    """What a workflow needs of the app that runs it."""

    @property
    def name(self) -> str:
        """What tells the app from others in this process."""
        ...

    async def start_instance(
        self,
        workflow: type[Any],
        initial: Any,
        *,
        id: str,
        version: int | None = None,
        telemetry_metadata: Mapping[str, Any] | None = None,
        session: Any = None,
        **options: Any,
    ) -> Handle:
        """Start a run; the options help the workflow to choose a version."""
        ...

    async def query(self, **filters: Any) -> list[Instance]:
        """Return the runs that pass all filters."""
        ...

    async def count(self, **filters: Any) -> int:
        """Return how many runs pass all filters."""
        ...


_bound: ContextVar[RunningApp | None] = ContextVar("hephaestus_app", default=None)


def register(app: RunningApp) -> None:
    """Make an app known to the workflows of this process.

    Raises:
        InvalidArgument: Another app of that name runs already.
    """
    _apps.add(app)


def unregister(app: RunningApp) -> None:
    """Forget an app that has stopped; nothing happens if it is not known."""
    _apps.remove(app)


@contextmanager
def bound(app: RunningApp) -> Iterator[None]:
    """Make an app the one that is meant within the block and the tasks started there."""
    token = _bound.set(app)
    try:
        yield
    finally:
        _bound.reset(token)


def bind(app: RunningApp) -> None:
    """Make an app the one that is meant in the rest of this task and the tasks started there."""
    _bound.set(app)


def current(pin: str | None = None) -> RunningApp:
    """Return the app that is meant: the bound one, else the only one that runs.

    Args:
        pin: The name of the app that a workflow is pinned to; no other will do.

    Raises:
        NoApp: No app runs, or none of the pinned name.
        SeveralApps: Several run, and none is bound or pinned.
    """
    chosen = _bound.get()
    if chosen is not None and pin in (None, chosen.name):
        return chosen
    running = _apps.by_name
    if pin is not None:
        if pin not in running:
            raise NoApp(pin)
        return running[pin]
    if len(running) > 1:
        raise SeveralApps(sorted(running))
    for app in running.values():
        return app
    raise NoApp


class _Apps:
    """The running apps by name.

    Readers take no lock: a change puts a new dictionary in place of the old.
    """

    def __init__(self) -> None:
        self._lock = fork.Lock()
        self.forget()

    def forget(self) -> None:
        self.by_name: dict[str, RunningApp] = {}

    def add(self, app: RunningApp) -> None:
        with self._lock:
            if self.by_name.get(app.name, app) is not app:
                raise InvalidArgument(
                    f"an app named {app.name!r} is already running; give this one another name"
                )
            self.by_name = {**self.by_name, app.name: app}

    def remove(self, app: RunningApp) -> None:
        with self._lock:
            self.by_name = {n: other for n, other in self.by_name.items() if other is not app}


_apps = _Apps()
# The apps of the parent do not run in a forked child: it has none of their tasks.
fork.in_child(_apps.forget)

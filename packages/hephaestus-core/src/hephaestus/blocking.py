"""BlockingHephaestus: the verbs without `await`, for Flask, Django and scripts."""

import asyncio
import atexit
import concurrent.futures
import logging
import threading
from collections.abc import Callable, Collection, Coroutine, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar
from weakref import WeakSet

from hephaestus import duration, fork
from hephaestus.app import Hephaestus
from hephaestus.duration import Duration
from hephaestus.errors import HephaestusError, InvalidArgument, NoApp, StorageUnavailable
from hephaestus.handle import Handle
from hephaestus.instance import Entry, Instance, Status
from hephaestus.key import compose_id
from hephaestus.workflow import Workflow

_log = logging.getLogger("hephaestus")
_T = TypeVar("_T")
_CLOSED = "this BlockingHephaestus is closed; call open()"


class BlockingHephaestus:
    """An app whose verbs block, safe from any thread.

        hephaestus = BlockingHephaestus(lambda: Hephaestus(PostgresStorage(URL)))

        def order(number):                            # a view of Flask or Django
            hephaestus.start(OrderFlow, number, {"item_count": 3})
            return hephaestus.result(f"orderid::{number}", timeout=10)

    The app runs on an event loop in a thread of its own, which begins with the first verb, once in
    every process: a server may fork workers before or after. It ends with `close`, with the `with`
    block, or with the process.

    Args:
        app: A function that makes the app, called in each process; or an app, for a process that
            does not fork after it was opened.
        timeout: How long a verb waits for the storage; None: as long as it takes. `wait` and
            `result` have a time of their own.
    """

    def __init__(
        self, app: Hephaestus | Callable[[], Hephaestus], *, timeout: Duration | None = None
    ) -> None:
        if not callable(app) and not isinstance(app, Hephaestus):
            raise InvalidArgument(f"app is a Hephaestus or a function that makes one, not {app!r}")
        self._given = app
        limit = None if timeout is None else duration.positive(timeout, "timeout=")
        self._timeout = None if limit is None else limit.total_seconds()
        self._lock = fork.Lock()
        self._host: _Host | None = None
        self._parents: _Host | None = None
        self._state: Literal["new", "open", "closed", "inherited"] = "new"
        _doors.add(self)

    def open(self) -> None:
        """Begin now rather than with the first verb; nothing happens if it has begun.

        Raises:
            StorageUnavailable: The storage cannot be reached.
            InvalidArgument: It is called on an event loop, or the app was opened before a fork.
        """
        _refuse_event_loops()
        with self._lock:
            if self._state == "closed":
                self._state = "new"
            self._opened()

    def close(self) -> None:
        """Let running steps end within the runner's grace period, then close what was opened."""
        _refuse_event_loops()
        with self._lock:
            host, self._host = self._host, None
            if self._state == "open":
                self._state = "closed"
        if host is not None:
            atexit.unregister(self._close_at_exit)
            host.close()

    def __enter__(self) -> "BlockingHephaestus":
        self.open()
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def run(self, work: Coroutine[Any, Any, _T]) -> _T:
        """Return what a coroutine of this app returns, as `run(OrderFlow.get("42"))`.

        What it raises keeps its type and its traceback.
        """
        return self._run(lambda _: work, self._timeout, work)

    def start(
        self,
        workflow: type[Workflow],
        value: str,
        initial: Any = None,
        *,
        version: int | None = None,
        telemetry_metadata: Mapping[str, Any] | None = None,
        **options: Any,
    ) -> "BlockingHandle":
        """Start a run; see `Workflow.start`."""

        async def work(app: Hephaestus) -> Handle:
            return await app.start_instance(
                workflow,
                initial,
                id=compose_id(workflow.declared_unique(), value),
                version=version,
                telemetry_metadata=telemetry_metadata,
                **options,
            )

        handle = self._run(work, self._timeout)
        return BlockingHandle(handle.id, handle.run_id, self)

    def resume(
        self,
        id: str,
        event: str | None = None,
        payload: Mapping[str, Any] | None = None,
        **which: Any,
    ) -> None:
        """Send an event; takes `step`, `dedup_key`, `workflow` and `version` as well."""
        self._run(lambda app: app.resume(id, event, payload, **which), self._timeout)

    def cancel(self, id: str, **which: Any) -> None:
        """Stop a run; takes `workflow` and `version` as well."""
        self._run(lambda app: app.cancel(id, **which), self._timeout)

    def retry(self, id: str, **which: Any) -> None:
        """Take a failed run up again; takes `workflow` and `version` as well."""
        self._run(lambda app: app.retry(id, **which), self._timeout)

    def get(self, id: str, **which: Any) -> Instance:
        """Return a run with its history; takes `workflow` and `version` as well."""
        return self._run(lambda app: app.get(id, **which), self._timeout)

    def history(self, id: str, **which: Any) -> list[Entry]:
        """Return the history of a run; takes `workflow` and `version` as well."""
        return self._run(lambda app: app.history(id, **which), self._timeout)

    def query(self, **filters: Any) -> list[Instance]:
        """Return the runs that pass all filters; see `hephaestus.storage.Filters`."""
        return self._run(lambda app: app.query(**filters), self._timeout)

    def count(self, **filters: Any) -> int:
        """Return how many runs pass all filters."""
        return self._run(lambda app: app.count(**filters), self._timeout)

    def wait(
        self,
        id: str,
        timeout: Duration | None = None,
        *,
        until: Status | Collection[Status] | None = None,
        **which: Any,
    ) -> Instance:
        """Return the run once it has finished or halted; with `until`, finished or one of those.

        Raises:
            WaitTimeout: The time passed first.
        """
        return self._run(lambda app: app.wait(id, timeout, until=until, **which), None)

    def result(self, id: str, timeout: Duration | None = None, **which: Any) -> Any:
        """Return the result of a run once it is completed.

        Raises:
            InstanceFailed: It failed or was cancelled.
            WaitTimeout: The time passed before its end.
        """
        return self._run(lambda app: app.result(id, timeout, **which), None)

    def forget(self) -> None:
        """Drop the host inherited over a fork; its thread exists only in the parent."""
        atexit.unregister(self._close_at_exit)
        self._state = "new" if self._state == "new" else "inherited"
        # Keep a reference: the parent's event loop must not be finalised in this process.
        self._host, self._parents = None, self._host

    def _run(
        self,
        verb: Callable[[Hephaestus], Coroutine[Any, Any, _T]],
        timeout: float | None,
        made: Coroutine[Any, Any, _T] | None = None,
    ) -> _T:
        """Let the app do something, and wait for it; `made` is closed if it never begins."""
        try:
            _refuse_event_loops()
            with self._lock:
                host = self._opened()
            future = host.submit(verb)
        except BaseException:
            if made is not None:
                made.close()
            raise
        return host.outcome(future, timeout)

    def _opened(self) -> "_Host":
        """Return what serves this process, begun if need be; the lock is held."""
        if self._host is None:
            if self._state == "closed":
                raise NoApp(reason=_CLOSED)
            app = self._given if isinstance(self._given, Hephaestus) else self._given()
            if self._state == "inherited" and app is self._given:
                raise InvalidArgument(
                    f"the app {app.name!r} was opened before this process was forked, and its "
                    "connections are the parent's; give BlockingHephaestus a function that makes it"
                )
            host = _Host(app)
            host.open(self._timeout)
            self._host, self._state = host, "open"
            atexit.register(self._close_at_exit)
        return self._host

    def _close_at_exit(self) -> None:
        # What a process that ends cannot give back any more is taken over when its leases end.
        with suppress(HephaestusError):
            self.close()


@dataclass(frozen=True, slots=True)
class BlockingHandle:
    """One run; every verb means this run, whatever else has its business id by then."""

    id: str
    """The business id, as `orderid::42`."""

    run_id: str
    """What tells this run from others of the same id."""

    door: BlockingHephaestus = field(repr=False, compare=False)
    """What started it."""

    def wait(
        self,
        timeout: Duration | None = None,
        *,
        until: Status | Collection[Status] | None = None,
    ) -> Instance:
        """Return the run once it has finished or halted; see `BlockingHephaestus.wait`."""
        return self.door.wait(self.run_id, timeout, until=until)

    def result(self, timeout: Duration | None = None) -> Any:
        """Return the result; see `BlockingHephaestus.result`."""
        return self.door.result(self.run_id, timeout)

    def resume(
        self, event: str | None = None, payload: Mapping[str, Any] | None = None, **which: Any
    ) -> None:
        """Send an event; takes `step` and `dedup_key` as well."""
        self.door.resume(self.run_id, event, payload, **which)

    def cancel(self) -> None:
        """Stop the run."""
        self.door.cancel(self.run_id)

    def retry(self) -> None:
        """Go on with the failed run."""
        self.door.retry(self.run_id)

    def get(self) -> Instance:
        """Return the run as it is now."""
        return self.door.get(self.run_id)

    def history(self) -> list[Entry]:
        """Return what happened to the run so far."""
        return self.door.history(self.run_id)


class _Host:
    """The thread with the event loop on which an app is open."""

    def __init__(self, app: Hephaestus) -> None:
        self._app = app
        self._loop = asyncio.new_event_loop()
        self._begun: concurrent.futures.Future[None] = concurrent.futures.Future()
        self._main = self._loop.create_task(self._serve())
        self._lock = threading.Lock()
        self._is_ending = False
        self._thread = threading.Thread(
            target=self._run_loop, name=f"hephaestus-{app.name}", daemon=True
        )

    def open(self, timeout: float | None) -> None:
        """Begin; return when the app is open, or raise what keeps it from that."""
        self._thread.start()
        try:
            self._wait(self._begun, timeout)
        except BaseException:
            self.close(wait=False)
            raise

    def submit(
        self, verb: Callable[[Hephaestus], Coroutine[Any, Any, _T]]
    ) -> "concurrent.futures.Future[_T]":
        """Let the app do something.

        Raises:
            NoApp: It has closed.
        """

        async def work() -> _T:
            with self._app.bound():
                return await verb(self._app)

        # What is submitted before the end begins before it, since the loop keeps the order.
        with self._lock:
            if self._is_ending:
                raise NoApp(self._app.name, _CLOSED)
            return asyncio.run_coroutine_threadsafe(work(), self._loop)

    def outcome(self, future: "concurrent.futures.Future[_T]", timeout: float | None) -> _T:
        """Wait for what was submitted."""
        try:
            return self._wait(future, timeout)
        except concurrent.futures.CancelledError:
            raise NoApp(self._app.name, _CLOSED) from None
        finally:
            # Whoever waits no more, be it for Control-C, wants nothing to go on.
            future.cancel()

    def close(self, *, wait: bool = True) -> None:
        """Let the app close, and return when it is closed."""
        # The loop is closed already where the app could not be opened.
        with self._lock, suppress(RuntimeError):
            if not self._is_ending:
                self._is_ending = True
                self._loop.call_soon_threadsafe(self._main.cancel)
        if wait:
            self._thread.join()

    def _run_loop(self) -> None:
        try:
            with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
                runner.get_loop().run_until_complete(self._main)
        except Exception as error:  # noqa: BLE001  # there is nobody else to tell
            _log.warning("the app %r did not close in order: %s", self._app.name, error)

    async def _serve(self) -> None:
        try:
            await self._app.open()
        except BaseException as error:  # noqa: BLE001  # whoever opens it raises it
            self._begun.set_exception(error)
            return
        self._begun.set_result(None)
        try:
            with suppress(asyncio.CancelledError):
                await self._loop.create_future()
        finally:
            await self._app.close()

    def _wait(self, future: "concurrent.futures.Future[_T]", timeout: float | None) -> _T:
        try:
            return future.result(timeout)
        except TimeoutError:
            # It came just now, or its own error is one.
            if future.done():
                return future.result()
            raise StorageUnavailable(
                type(self._app.storage).__name__,
                f"no answer within {timeout:g} s, and nobody knows what it did",
            ) from None


def _refuse_event_loops() -> None:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return
    raise InvalidArgument(
        "BlockingHephaestus would block the event loop that runs in this thread; use the app "
        "itself here: `await OrderFlow.start(…)`, `await app.get(…)`"
    )


_doors: "WeakSet[BlockingHephaestus]" = WeakSet()


def _forget_all() -> None:
    for door in _doors:
        door.forget()


fork.in_child(_forget_all)

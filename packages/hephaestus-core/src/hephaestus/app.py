"""Hephaestus: an application's door to its workflows; it delegates everything."""

import asyncio
import itertools
import logging
import warnings
from collections.abc import Collection, Mapping
from contextlib import AbstractContextManager
from typing import Any, Literal

from hephaestus import data, running
from hephaestus.clock import Clock, SystemClock
from hephaestus.context import Context
from hephaestus.duration import Duration
from hephaestus.errors import (
    InstanceFailed,
    InstanceFinished,
    InvalidArgument,
    NoApp,
)
from hephaestus.handle import AnyStep, AnyWorkflow, Handle, id_of
from hephaestus.instance import STATUSES, TERMINAL, Entry, Instance, Status
from hephaestus.key import checked_id, unique_key
from hephaestus.local import LocalRunner
from hephaestus.memory import MemoryStorage
from hephaestus.runner import Runner
from hephaestus.steps import key_of
from hephaestus.storage import Storage
from hephaestus.telemetry import events
from hephaestus.waiting import Waiting
from hephaestus.workflow import Workflow

_log = logging.getLogger("hephaestus")
_numbers = itertools.count(1)


class Hephaestus:
    """Runs workflows in this process, on a storage and through a runner.

    Open it with `async with`, or with `open` and `close`. While it is open, the verbs of the
    workflow classes find it.

    Args:
        storage: Where runs are kept; a new `MemoryStorage` if left out.
        runner: Who executes steps; a `LocalRunner` if left out.
        name: What tells it from other apps of the process.
        clock: What it takes for the time; tests give a virtual one.

    Raises:
        InvalidArgument: `storage` or `runner` is not an instance (a URL or a class was given).
    """

    def __init__(
        self,
        storage: Storage | None = None,
        runner: Runner | None = None,
        *,
        name: str | None = None,
        clock: Clock | None = None,
    ) -> None:
        self.storage: Storage = MemoryStorage() if storage is None else storage
        self.runner: Runner = LocalRunner() if runner is None else runner
        _check_is_made(self.storage, "claim", "storage, as MemoryStorage() or PostgresStorage(url)")
        _check_is_made(self.runner, "attach", "runner, as LocalRunner()")
        self.clock: Clock = SystemClock() if clock is None else clock
        self._name = name or f"app-{next(_numbers)}"
        self._state: Literal["closed", "opening", "open", "closing"] = "closed"
        self.runner.attach(self)

    @property
    def name(self) -> str:
        """What tells the app from others in this process."""
        return self._name

    async def open(self) -> None:
        """Open the storage, begin to execute what is due, and let the workflows find the app.

        Raises:
            InvalidArgument: It is open already, or another app of its name is.
            StorageUnavailable: The storage cannot be reached.
            SchemaOutdated: The storage's schema does not fit this code.
        """
        if self._state != "closed":
            raise InvalidArgument(f"the app {self._name!r} is open already")
        running.register(self)
        self._state = "opening"
        self._loop = asyncio.get_running_loop()
        try:
            await self.storage.open()
            try:
                await self.runner.open(self, self.storage, self.clock)
            except BaseException:
                await self.storage.close()
                raise
        except BaseException:
            running.unregister(self)
            self._state = "closed"
            raise
        self._waiting = Waiting(self.storage, self.runner.watch, self.clock, self._check_open)
        self._state = "open"
        events.runner_init(
            app=self._name, runner=self.runner.name, storage=type(self.storage).__name__
        )

    async def close(self) -> None:
        """Let running steps end within the runner's grace period, then close what was opened."""
        if self._state != "open":
            return
        # Workflows find it no more; the steps that still run do, as long as they may.
        self._state = "closing"
        running.unregister(self)
        try:
            await self.runner.close()
        finally:
            self._state = "closed"
            await self.storage.close()

    async def __aenter__(self) -> "Hephaestus":
        await self.open()
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.close()

    def bound(self) -> AbstractContextManager[None]:
        """Make this the app that workflows mean within a `with` block."""
        return running.bound(self)

    async def start_instance(
        self,
        workflow: type[Workflow],
        initial: object = None,
        *,
        id: str,
        version: int | None = None,
        telemetry_metadata: Mapping[str, Any] | None = None,
        session: object = None,
        **options: object,
    ) -> Handle:
        """Start a run under an id; the options go to the workflow's `version_for`.

        Raises:
            AlreadyRunning: An unfinished run holds the id.
            NotSerializable: The initial data cannot be stored.
            InvalidArgument: There is no such version, the id cannot be one, or the initial data
                do not fit the workflow's `input`.
        """
        self._check_open()
        if not (isinstance(workflow, type) and issubclass(workflow, Workflow)):
            raise InvalidArgument(f"what starts is a workflow class, not {workflow!r}")
        chosen = workflow.resolve(version, options)
        self._check_runnable(chosen)
        codec, initial = self.storage.codec, chosen.plain_initial(initial)
        instance = Instance(
            id=checked_id(id),
            workflow=chosen.name,
            workflow_version=chosen.version,
            context=Context(initial=codec.checked(initial, "the initial data")),
            tags=chosen.tags,
            telemetry_metadata=codec.checked(telemetry_metadata, "telemetry_metadata"),
            created_at=self.clock.now(),
            unique_key=unique_key(chosen.declared_unique(), id, chosen.family, chosen.version),
        )
        await self.runner.start(instance, session=session)
        return Handle(instance.id, instance.run_id, self)

    async def resume(
        self,
        id: str | Handle,
        event: str | None = None,
        payload: Mapping[str, Any] | None = None,
        *,
        step: AnyStep | None = None,
        dedup_key: str | None = None,
        workflow: AnyWorkflow | None = None,
        version: int | None = None,
        session: object = None,
    ) -> None:
        """Send an event to a run; it is kept until its step waits for it.

        Raises:
            InstanceNotFound: There is no such run.
            InstanceFinished: It is completed or cancelled.
            UnknownEvent: No step takes the event.
            AmbiguousEvent: Several steps could; say which with `step`.
        """
        await self.runner.resume(
            await self._find(id, workflow, version, session),
            event,
            payload,
            step=None if step is None else key_of(step),
            dedup_key=dedup_key,
            session=session,
        )

    async def schedule_resume(
        self,
        id: str | Handle,
        step: AnyStep,
        delay: Duration,
        *,
        workflow: AnyWorkflow | None = None,
        version: int | None = None,
    ) -> str:
        """Let the event `timeout` reach a step after a delay, across restarts.

        Returns:
            A message id, for `withdraw`.
        """
        instance = await self._find(id, workflow, version)
        return await self.runner.schedule_resume(instance.run_id, key_of(step), delay)

    async def withdraw(self, message_id: str) -> bool:
        """Take back what `schedule_resume` sent; answer False if it has arrived."""
        self._check_open()
        return await self.runner.withdraw(message_id)

    async def cancel(
        self,
        id: str | Handle,
        *,
        workflow: AnyWorkflow | None = None,
        version: int | None = None,
        session: object = None,
    ) -> None:
        """Stop a run; on return it is cancelled, or will be when the session commits.

        Raises:
            InstanceNotFound: There is no such run.
            InstanceFinished: It has ended.
        """
        instance = await self._find(id, workflow, version, session)
        if not instance.is_finished:
            await self.runner.cancel(instance, session=session)
            if session is not None:
                return
            instance = await self.storage.get(instance.run_id, history=False)
            if instance.status == "cancelled":
                return
        raise InstanceFinished(instance.id, instance.run_id, instance.status)

    async def retry(
        self, id: str | Handle, *, workflow: AnyWorkflow | None = None, version: int | None = None
    ) -> None:
        """Take a failed run up again; it keeps its run id, its history and what it completed.

        Raises:
            NotRetryable: It is not failed.
            AlreadyRunning: A later run holds its id.
        """
        instance = await self._find(id, workflow, version)
        await self.runner.retry(instance.run_id)

    async def get(
        self, id: str | Handle, *, workflow: AnyWorkflow | None = None, version: int | None = None
    ) -> Instance:
        """Return a run with its history."""
        self._check_open()
        return await self.storage.get(id_of(id), workflow=workflow, version=version)

    async def history(
        self, id: str | Handle, *, workflow: AnyWorkflow | None = None, version: int | None = None
    ) -> list[Entry]:
        """Return the history of a run."""
        return list((await self.get(id, workflow=workflow, version=version)).execution_history)

    async def query(self, **filters: Any) -> list[Instance]:
        """Return the runs that pass all filters; see `hephaestus.storage.Filters`."""
        self._check_open()
        return await self.storage.query(**filters)

    async def count(self, **filters: Any) -> int:
        """Return how many runs pass all filters."""
        self._check_open()
        return await self.storage.count(**filters)

    async def wait(
        self,
        id: str | Handle,
        timeout: Duration | None = None,  # noqa: ASYNC109  # the waiting, not a step, ends
        *,
        until: Status | Collection[Status] | None = None,
        workflow: AnyWorkflow | None = None,
        version: int | None = None,
    ) -> Instance:
        """Return the run once it has finished or halted; with `until`, finished or one of those.

        A run that was resumed is waiting or halted no more, though it has yet to go on. The
        timeout is real time, whatever the app's clock.

        Raises:
            WaitTimeout: The time passed first.
        """
        self._check_open()
        # Nothing comes after the end, so no one waits beyond it.
        wanted = TERMINAL.union(_statuses(until))
        return await self._waiting.reach(
            id_of(id), wanted, timeout, workflow=workflow, version=version, history=True
        )

    async def result(
        self,
        id: str | Handle,
        timeout: Duration | None = None,  # noqa: ASYNC109  # as for `wait`
        *,
        workflow: AnyWorkflow | None = None,
        version: int | None = None,
    ) -> Any:
        """Return the result of a run once it is completed.

        Raises:
            InstanceFailed: It failed or was cancelled.
            WaitTimeout: The time passed before its end.
        """
        self._check_open()
        instance = await self._waiting.reach(
            id_of(id), TERMINAL, timeout, workflow=workflow, version=version, history=False
        )
        if instance.status != "completed":
            reason = None if instance.error is None else str(instance.error)
            raise InstanceFailed(instance.id, instance.run_id, instance.status, reason)
        # Others may wait for it as well, and each may do with the result what it likes.
        return data.copied(instance.result)

    async def _find(
        self,
        id: str | Handle,
        workflow: AnyWorkflow | None,
        version: int | None,
        session: object = None,
    ) -> Instance:
        self._check_open()
        return await self.storage.get(
            id_of(id), workflow=workflow, version=version, history=False, session=session
        )

    def _check_open(self) -> None:
        if self._state not in ("open", "closing"):
            raise NoApp(self._name)
        if asyncio.get_running_loop() is not self._loop:
            raise InvalidArgument(
                f"the app {self._name!r} was opened on another event loop; open it and use it "
                "within one asyncio.run"
            )

    def _check_runnable(self, workflow: type[Workflow]) -> None:
        if workflow.app is not None and workflow.app != self._name:
            raise InvalidArgument(
                f"workflow {workflow.name!r} is pinned to the app {workflow.app!r}, "
                f"and this is {self._name!r}"
            )
        transactional = workflow.graph.transactional
        if transactional and not self.storage.transactional:
            raise InvalidArgument(
                f"workflow {workflow.name!r} has transactional steps "
                f"({', '.join(transactional)}), and {type(self.storage).__name__} has no "
                "transactions; use hephaestus-postgres"
            )
        if self.storage.durable and workflow.name.startswith("__main__."):
            warnings.warn(
                f"workflow {workflow.name!r} is defined in __main__: another process will not "
                "find it under that name; move it to a module, or give it a name=",
                stacklevel=3,
            )


def _check_is_made(given: object, verb: str, wanted: str) -> None:
    if isinstance(given, type) or not hasattr(given, verb):
        # What it holds is not told: a URL has a password in it.
        name = f"the class {given.__name__}" if isinstance(given, type) else type(given).__name__
        raise InvalidArgument(f"an app takes a {wanted}, not {name}")


def _statuses(until: Status | Collection[Status] | None) -> Collection[Status]:
    if until is None:
        return TERMINAL | {"halted"}
    wanted: Collection[Any] = (until,) if isinstance(until, str) else until
    unknown = [status for status in wanted if status not in STATUSES]
    if unknown or not wanted:
        raise InvalidArgument(
            f"until= takes one or more of {', '.join(STATUSES)}, not {unknown or wanted!r}"
        )
    return wanted

"""Every error that Hephaestus raises, as one tree.

    HephaestusError
    ├── DefinitionError                 a workflow or step that is not sound
    │   └── UnsoundKey (InvalidArgument)  its `unique` is no business key
    ├── InvalidArgument (ValueError)    a wrong value given to a call
    │   ├── NotSerializable             data that cannot be stored
    │   └── PayloadTooLarge             data over the size limit
    ├── UnknownFilter (TypeError)       a filter that no query has
    ├── AlreadyRunning                  the business key is taken
    ├── InstanceNotFound (LookupError)  no run has that id
    ├── AmbiguousInstance               several unfinished runs have that id
    ├── InstanceFinished                the run has ended
    ├── InstanceFailed                  the awaited result will never come
    ├── NotRetryable                    only a failed run can be retried
    ├── UnknownEvent                    no step takes that event
    ├── AmbiguousEvent                  several steps could take that event
    ├── UnknownWorkflow                 the workflow is not defined in this process
    ├── DamagedInstance                 a stored run that cannot be read
    ├── StaleInstance                   another writer was faster
    ├── StorageUnavailable              the storage cannot be reached
    ├── TransactionConflict             the database asks for a transaction to be repeated
    ├── SchemaOutdated                  the storage's schema does not fit the code
    ├── WaitTimeout (TimeoutError)      the wait ended before the run did
    ├── NoApp                           no app runs in this process
    ├── SeveralApps                     more than one app runs in this process
    └── Fatal                           raised by a step to fail without a retry

Facts are attributes and survive pickling; the sentence is made by `str()`.
"""

from collections.abc import Sequence


class HephaestusError(Exception):
    """The root of all errors of Hephaestus."""


class DefinitionError(HephaestusError):
    """A workflow or a step is not sound; raised where it is defined."""


class InvalidArgument(HephaestusError, ValueError):
    """A call was given a value that it cannot take."""


class UnsoundKey(DefinitionError, InvalidArgument):
    """A workflow declares a business key that is not valid."""


class NotSerializable(InvalidArgument):
    """Data holds something that cannot be stored; `path` says where."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(path, reason)
        self.path = path
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.path} cannot be stored: {self.reason}"


class PayloadTooLarge(InvalidArgument):
    """Data takes more bytes, encoded, than the codec allows."""

    def __init__(self, path: str, size: int, limit: int) -> None:
        super().__init__(path, size, limit)
        self.path = path
        self.size = size
        self.limit = limit

    def __str__(self) -> str:
        return (
            f"{self.path} takes {self.size} bytes encoded and the limit is {self.limit}; "
            "store it elsewhere and pass a reference, or raise Codec(max_bytes=…)"
        )


class UnknownFilter(HephaestusError, TypeError):
    """A query was given a filter that does not exist."""

    def __init__(self, name: str, known: Sequence[str], nearest: str | None = None) -> None:
        super().__init__(name, tuple(known), nearest)
        self.name = name
        self.known = tuple(known)
        self.nearest = nearest

    def __str__(self) -> str:
        hint = f"; did you mean {self.nearest!r}?" if self.nearest else ""
        return f"there is no filter {self.name!r}{hint} (filters: {', '.join(self.known)})"


class AlreadyRunning(HephaestusError):
    """An unfinished run already holds the business key."""

    def __init__(self, instance_id: str, run_id: str | None = None) -> None:
        super().__init__(instance_id, run_id)
        self.instance_id = instance_id
        self.run_id = run_id

    def __str__(self) -> str:
        run = f" (run {self.run_id})" if self.run_id else ""
        return f"{self.instance_id!r} is already running{run}; wait for it or cancel it first"


class InstanceNotFound(HephaestusError, LookupError):
    """No workflow instance has that id or run id."""

    def __init__(self, instance_id: str) -> None:
        super().__init__(instance_id)
        self.instance_id = instance_id

    def __str__(self) -> str:
        return f"no workflow instance has the id {self.instance_id!r}"


class AmbiguousInstance(HephaestusError):
    """Several unfinished runs have that id."""

    def __init__(self, instance_id: str, runs: Sequence[tuple[str, str, int]]) -> None:
        super().__init__(instance_id, tuple(runs))
        self.instance_id = instance_id
        self.runs = tuple(runs)
        """(run id, workflow, version) of each run that fits."""

    def __str__(self) -> str:
        found = ", ".join(f"{run} ({name} v{version})" for run, name, version in self.runs)
        return (
            f"the id {self.instance_id!r} fits several unfinished runs: {found}; "
            "say which with workflow=, version= or its run id"
        )


class _AboutRun(HephaestusError):
    """An error about one run in one status."""

    def __init__(self, instance_id: str, run_id: str, status: str) -> None:
        super().__init__(instance_id, run_id, status)
        self.instance_id = instance_id
        self.run_id = run_id
        self.status = status


class InstanceFinished(_AboutRun):
    """The run has ended, so it takes no event and cannot be cancelled."""

    def __str__(self) -> str:
        return f"{self.instance_id!r} (run {self.run_id}) is already {self.status}"


class InstanceFailed(HephaestusError):
    """The run ended without a result: it failed or was cancelled."""

    def __init__(self, instance_id: str, run_id: str, status: str, reason: str | None) -> None:
        super().__init__(instance_id, run_id, status, reason)
        self.instance_id = instance_id
        self.run_id = run_id
        self.status = status
        self.reason = reason

    def __str__(self) -> str:
        why = f": {self.reason}" if self.reason else ""
        return f"{self.instance_id!r} (run {self.run_id}) {self.status}{why}"


class NotRetryable(_AboutRun):
    """Only a failed run can be retried."""

    def __str__(self) -> str:
        return (
            f"{self.instance_id!r} (run {self.run_id}) is {self.status}; "
            "only a failed run can be retried"
        )


class UnknownEvent(HephaestusError):
    """No step of the workflow takes that event."""

    def __init__(
        self, instance_id: str, event: str, known: Sequence[str], nearest: str | None = None
    ) -> None:
        super().__init__(instance_id, event, tuple(known), nearest)
        self.instance_id = instance_id
        self.event = event
        self.known = tuple(known)
        self.nearest = nearest

    def __str__(self) -> str:
        hint = f"; did you mean {self.nearest!r}?" if self.nearest else ""
        takes = ", ".join(self.known) or "none"
        return (
            f"nothing in {self.instance_id!r} takes the event {self.event!r}{hint} (takes: {takes})"
        )


class AmbiguousEvent(HephaestusError):
    """Several steps could take the event; nothing was delivered."""

    def __init__(self, instance_id: str, event: str | None, steps: Sequence[str]) -> None:
        super().__init__(instance_id, event, tuple(steps))
        self.instance_id = instance_id
        self.event = event
        self.steps = tuple(steps)

    def __str__(self) -> str:
        what = f"the event {self.event!r}" if self.event else "an answer without an event"
        return (
            f"several steps of {self.instance_id!r} could take {what}: "
            f"{', '.join(self.steps)}; name one with step="
        )


class UnknownWorkflow(HephaestusError, LookupError):
    """A stored run's workflow and version are not defined in this process."""

    def __init__(self, workflow: str, version: int | None, nearest: str | None = None) -> None:
        super().__init__(workflow, version, nearest)
        self.workflow = workflow
        self.version = version
        self.nearest = nearest

    def __str__(self) -> str:
        version = f" version {self.version}" if self.version is not None else ""
        hint = f"; did you mean {self.nearest!r}?" if self.nearest else ""
        return (
            f"no workflow {self.workflow!r}{version} is defined in this process{hint}; "
            "import the module that defines it"
        )


class DamagedInstance(HephaestusError):
    """A stored run cannot be read."""

    def __init__(self, run_id: str, reason: str) -> None:
        super().__init__(run_id, reason)
        self.run_id = run_id
        self.reason = reason

    def __str__(self) -> str:
        return f"the stored run {self.run_id!r} cannot be read: {self.reason}"


class StaleInstance(HephaestusError):
    """The run was changed by another writer since it was loaded."""

    def __init__(self, run_id: str, revision: int) -> None:
        super().__init__(run_id, revision)
        self.run_id = run_id
        self.revision = revision

    def __str__(self) -> str:
        return f"run {self.run_id!r} is no longer at revision {self.revision}; load it again"


class StorageUnavailable(HephaestusError):
    """The storage cannot be reached or refuses to work at the moment."""

    def __init__(self, storage: str, reason: str) -> None:
        super().__init__(storage, reason)
        self.storage = storage
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.storage} is unavailable: {self.reason}"


class TransactionConflict(HephaestusError):
    """Another transaction was in the way, and repeating this one may do."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason

    def __str__(self) -> str:
        return f"the transaction met another one and can be repeated: {self.reason}"


class SchemaOutdated(HephaestusError):
    """The storage's schema is older or newer than this code needs."""

    def __init__(self, storage: str, found: int, needed: int, remedy: str) -> None:
        super().__init__(storage, found, needed, remedy)
        self.storage = storage
        self.found = found
        self.needed = needed
        self.remedy = remedy

    def __str__(self) -> str:
        return (
            f"the schema of {self.storage} is at version {self.found} and this code needs "
            f"{self.needed}; {self.remedy}"
        )


class WaitTimeout(HephaestusError, TimeoutError):
    """The time given to `wait` passed before the run got there."""

    def __init__(
        self, instance_id: str, status: str, seconds: float, obstacle: str | None = None
    ) -> None:
        super().__init__(instance_id, status, seconds, obstacle)
        self.instance_id = instance_id
        self.status = status
        self.seconds = seconds
        self.obstacle = obstacle
        """What keeps the run from going on, as far as is known."""

    def __str__(self) -> str:
        why = f": {self.obstacle}" if self.obstacle else ""
        return f"{self.instance_id!r} is still {self.status} after {self.seconds:g} s{why}"


class NoApp(HephaestusError):
    """No Hephaestus app runs in this process, or none of the wanted name."""

    def __init__(self, name: str | None = None, reason: str | None = None) -> None:
        super().__init__(name, reason)
        self.name = name
        self.reason = reason

    def __str__(self) -> str:
        named, call = "", "async with Hephaestus():"
        if self.name is not None:
            named, call = f" named {self.name!r}", f"async with Hephaestus(name={self.name!r}):"
        why = f": {self.reason}" if self.reason else f"; open it with `{call}`"
        return f"no Hephaestus app{named} is running{why}"


class SeveralApps(HephaestusError):
    """Several Hephaestus apps run in this process and nothing says which one is meant."""

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__(tuple(names))
        self.names = tuple(names)

    def __str__(self) -> str:
        return (
            f"several Hephaestus apps are running: {', '.join(self.names)}; name yours with "
            '`Hephaestus(name="…")` and pin the workflow with `class X(Workflow, app="…")`, '
            "or use `with app.bound():`"
        )


class Fatal(HephaestusError):
    """Raised by a step to fail its run at once, without another attempt."""

    def __init__(self, reason: object = "") -> None:
        super().__init__(reason)
        self.reason = reason

    def __str__(self) -> str:
        return str(self.reason)

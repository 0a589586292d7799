"""The contract that every storage fulfils; `hephaestus.testing.StorageContract` proves it."""

from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta
from typing import Any, ClassVar, Protocol, runtime_checkable

from hephaestus.codec import Codec
from hephaestus.instance import Entry, Instance, Status
from hephaestus.message import Message
from hephaestus.storage.change import Change, Lease, Owner, Snapshot


@runtime_checkable
class HasSchema(Protocol):
    """What a storage fulfils besides if it has a schema; `hephaestus migrate` asks for it."""

    async def migrate(self, version: int | None = None) -> None:
        """Bring the schema to a version, by default the latest; 0 drops all that is stored.

        Raises:
            InvalidArgument: There is no such version.
            StorageUnavailable: It cannot be reached.
        """
        ...


class Storage(Protocol):
    """Keeps runs, their history, their inboxes and the leases of their steps.

    The storage is the only truth. Every verb may be repeated after an unknown outcome: a
    `create` is known by its run id, a `post` by its message id, a `commit` by its token.
    Values that come out are never shared with the storage. What the driver raises becomes
    `StorageUnavailable` or another of our errors. Where `session` is given, the write happens
    with the caller's transaction or not at all; a storage that cannot do that refuses it.
    """

    durable: ClassVar[bool]
    """Whether the rows outlive the process."""

    transactional: ClassVar[bool]
    """Whether it takes `session=` and runs transactional steps."""

    codec: Codec

    async def open(self) -> None:
        """Make the storage usable.

        Opening twice needs closing twice.

        Raises:
            StorageUnavailable: It cannot be reached.
            SchemaOutdated: Its schema is older or newer than this code needs.
        """
        ...

    async def close(self) -> None:
        """Give up what `open` took."""
        ...

    # What users call

    async def get(
        self,
        id: str,
        *,
        workflow: object = None,
        version: int | None = None,
        history: bool = True,
        session: object = None,
    ) -> Instance:
        """Return the run of that run id, or the one unfinished run of that id, or its newest.

        Args:
            workflow: A class or name, where the id fits several; that of an umbrella means all
                its versions and what ran under its name before it was one, as in `query`.
            history: Fill `execution_history`.
            session: Look within the caller's transaction, which sees what it has written.

        Raises:
            InstanceNotFound: Nothing fits.
            AmbiguousInstance: Several unfinished runs fit.
            DamagedInstance: It cannot be read.
        """
        ...

    async def put(self, instance: Instance) -> None:
        """Restore or import a run, as the new truth.

        - It replaces the run of its run id, at the revision after the stored one's; the version
          and the time of creation stay. One that is not stored comes at the revision after its
          own.
        - Its history is recorded, each entry once. Its messages stay; its leases and its
          hand-over end.
        - It is due at once if it is unfinished, whatever the time.
        - Where it has no `updated_at`, or has ended and has no `finished_at`, that becomes its
          time of creation.
        - Where it has no key and this process knows its workflow, it holds the key that the
          workflow declares.

        Every storage asks `importable` first.

        Raises:
            AlreadyRunning: Another unfinished run holds its key.
            InvalidArgument: It is no run that every storage could keep.
            NotSerializable: It holds what cannot be stored; nothing is written.
        """
        ...

    async def delete(self, id: str) -> bool:
        """Delete every run of an id, or the one of a run id, with all that belongs to it.

        A history that was recorded for a run id without a run is deleted as well.

        Returns:
            Whether there was any run.
        """
        ...

    async def query(self, **filters: Any) -> list[Instance]:
        """Return the runs that pass all filters, without history; see `Filters`.

        A damaged row is left out and logged.

        Raises:
            UnknownFilter: There is no such filter.
            InvalidArgument: A filter has a value that it cannot take, or `after` names a run
                that is not stored.
        """
        ...

    async def count(self, **filters: Any) -> int:
        """Return how many runs pass all filters; `limit`, `order` and `after` do not apply."""
        ...

    async def record(self, entry: Entry) -> None:
        """Append an entry to a history, whether or not its run is stored; once per entry id.

        Every storage asks `recordable` first.

        Raises:
            InvalidArgument: It is no entry that every storage could keep.
            NotSerializable: It holds what cannot be stored.
        """
        ...

    async def entries(self, id: str) -> list[Entry]:
        """Return a history, of a run id or of the run that `get` would return.

        The order is that of arrival. Without any entries the list is empty.

        Raises:
            AmbiguousInstance: Several unfinished runs have the id.
        """
        ...

    async def ids(self, workflow: object = None, limit: int | None = None) -> list[str]:
        """Return the distinct ids, that of the newest run first; the limit counts ids.

        Raises:
            InvalidArgument: `workflow` is neither a workflow nor a name, or `limit` not a whole
                number from 0.
        """
        ...

    async def prune(
        self,
        before: datetime,
        *,
        statuses: Collection[Status] | None = None,
        limit: int = 1000,
    ) -> int:
        """Delete finished runs with all that belongs to them, those that ended first before others.

        - A run goes if it ended before the time, not at it.
        - `statuses` picks among the finished ones, failed ones among them by default; unfinished
          runs never go.

        Returns:
            How many were deleted; call again until it is less than `limit`.

        Raises:
            InvalidArgument: An argument has a value that it cannot take: `checked_pruning` tells.
        """
        ...

    # What runners call

    async def create(self, change: Change, *, session: object = None) -> None:
        """Insert a run with its first entries and leases, all or nothing.

        Repeated with the run id that is stored, it changes nothing, however far the run has come.

        Raises:
            AlreadyRunning: An unfinished run holds its `unique_key`.
            NotSerializable: It holds what cannot be stored.
        """
        ...

    async def load(self, run_id: str) -> Snapshot:
        """Return the run with its inbox and leases, as they were at one moment.

        A message that a commit has named as kept comes back as `seen`.

        Raises:
            InstanceNotFound: It is gone.
            DamagedInstance: It cannot be read.
        """
        ...

    async def commit(self, change: Change) -> None:
        """Write a change, all or nothing.

        - The stored revision must be the change's less one, or already the change's by the
          same token: then nothing is written again.
        - No message that it consumes or keeps can be gone: what takes one out of an inbox moves
          the revision.
        - A hand-over by `due` ends.
        - A run that was finished and is not any more takes its `unique_key` back.
        - A lease is granted like one that is claimed: not where an unreleased one exists, expired
          or not, since a claim may have come after the load and does not change the revision.
        - A lease that it frees is forgotten, unless a claim has taken the attempt meanwhile.

        Raises:
            StaleInstance: The run is gone or at another revision, or a lease that it grants is
                held.
            AlreadyRunning: Another unfinished run holds its `unique_key`.
            NotSerializable: It holds what cannot be stored.
        """
        ...

    def transaction(self, run_id: str) -> AbstractAsyncContextManager["Transaction"]:
        """Return a transaction in which a step's effects and its outcome become durable as one.

        It is rolled back unless it was committed.

        Raises:
            InvalidArgument: The storage is not transactional.
            StorageUnavailable: It cannot be reached.
        """
        ...

    async def post(self, message: Message, *, session: object = None) -> bool:
        """Put a message into its run's inbox and make the run due, in one write.

        It is due until a commit names the message as consumed or kept; one with `not_before`
        from that time on. A completed or cancelled run takes messages too, and is due until they
        are dropped; a failed one becomes due for them when it is retried. The storage gives the
        message its `sequence`; the revision of the run stays.

        Returns:
            False if the run ever had a message of that `dedup_key`, be it consumed or withdrawn
            by now; then nothing changes. A consumed outcome may be forgotten: its attempt is
            over, so that another copy of it changes nothing.

        Raises:
            InstanceNotFound: There is no such run.
            NotSerializable: It holds what cannot be stored.
        """
        ...

    def when_committed(self, session: object, call: Callable[[], object]) -> None:
        """Call back soon after a caller's transaction was committed, if that can be told.

        A hint: it may never come, or come for nothing, as after the release of a savepoint.

        Raises:
            InvalidArgument: The storage does not take sessions.
        """
        ...

    async def withdraw(self, message_id: str) -> bool:
        """Take a message back, and move its run to the next revision.

        A change that was computed with the message is stale then.

        Returns:
            False if it was consumed or never posted.
        """
        ...

    async def due(
        self,
        now: datetime,
        limit: int,
        workflows: Collection[tuple[str, int]],
        *,
        hand_over: timedelta,
    ) -> list[str]:
        """Return the run ids that need attention, longest due first.

        - Due is an unfinished run of one of these workflows and versions whose `wake_at` has
          come, or that has an unseen message, or a lease that was released or has expired.
        - A completed or cancelled one is due for its unseen messages, and for nothing else: who
          posted them may have died before it could drop them.
        - Each is handed to one caller: for the time `hand_over`, or until the next commit or
          release, no other call returns it, and it does not count towards the limit.
        - What another call is looking at in the same moment may be left to the next one.
        - A moment that has come counts, to the microsecond: a time to wake, the end of a lease
          and the end of a hand-over are due at that time.
        """
        ...

    async def claim(
        self, lease: Lease, now: datetime, *, results: Collection[str]
    ) -> Instance | None:
        """Take a lease, and return the run; None if the step is not to be executed.

        Of the results of its steps the run has only those that are asked for: a step sees those
        of its ancestors, and a claim for each of a thousand branches must not read them all.

        It is not if the step is not ready at that attempt, if an outcome of the attempt lies
        in the inbox, or if there is an unreleased lease of it, expired or not, whoever holds it.
        Repeated, it answers None: after an unknown outcome the lease runs out by itself.

        Raises:
            DamagedInstance: The run cannot be read.
        """
        ...

    async def renew(self, leases: Sequence[Lease], until: datetime, now: datetime) -> list[Lease]:
        """Extend the leases that their owners' incarnations still hold.

        A lease is held until a commit or a put ends it, it is released, or its time has come;
        another number of the same owner is another lease. A renewal that arrives late shortens
        none.

        Returns:
            Those that are not held any more.
        """
        ...

    async def release(self, leases: Sequence[Lease], now: datetime) -> None:
        """Give leases back in order, so that others may take the attempts at once.

        A hand-over of their runs ends, too: whoever gives back does not attend to them.
        What is not held any more stays as it is: an attempt whose lease expired is lost.
        """
        ...

    async def adopt(self, owner: Owner, now: datetime) -> int:
        """Expire the leases that earlier incarnations of the owner's name still hold.

        An owner without a name adopts nothing.

        Returns:
            How many there were.
        """
        ...


class Transaction(Protocol):
    """The transaction of one execution of a transactional step.

    What the database says about the step's own effects passes through as it is; the rest
    becomes an error of ours.
    """

    @property
    def session(self) -> Any:
        """What the step gets as `ctx.session`; its type is the adapter's."""
        ...

    def conflicts(self, error: BaseException) -> bool:
        """Tell whether an error of the step means that the transaction is to be repeated."""
        ...

    async def flush(self) -> None:
        """Send what the session still holds back, and check all constraints, deferred ones too."""
        ...

    async def load(self) -> Snapshot:
        """Keep every other writer from the run until the end, and return the run as it is now.

        Raises:
            InstanceNotFound: It is gone.
            DamagedInstance: It cannot be read.
            TransactionConflict: The transaction is to be repeated.
            StorageUnavailable: It is lost.
        """
        ...

    async def commit(self, change: Change) -> None:
        """Write the change, and make it durable together with the step's effects.

        Raises:
            StaleInstance: A lease that it grants is held.
            TransactionConflict: The transaction is to be repeated.
            StorageUnavailable: Nobody knows whether it is durable.
        """
        ...

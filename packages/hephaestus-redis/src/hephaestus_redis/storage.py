"""RedisStorage: the contract in scripts, each a change that happens whole or not at all."""

import asyncio
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any, ClassVar

from redis.asyncio import Redis, RedisCluster
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialWithJitterBackoff

from hephaestus.codec import Codec
from hephaestus.duration import Duration
from hephaestus.errors import (
    AlreadyRunning,
    InstanceNotFound,
    InvalidArgument,
    StaleInstance,
)
from hephaestus.instance import Entry, Instance, Status
from hephaestus.message import Message
from hephaestus.storage import (
    Change,
    Filters,
    Lease,
    Owner,
    Snapshot,
    Transactionless,
    checked_pruning,
    importable,
    recordable,
)
from hephaestus_redis import histories, keys, letters, rows, script, server
from hephaestus_redis.keys import Keys
from hephaestus_redis.leases import granting, holding
from hephaestus_redis.link import link_to
from hephaestus_redis.pipeline import Pipeline
from hephaestus_redis.queries import Queries
from hephaestus_redis.replication import Replicated
from hephaestus_redis.retention import Retention

_SLICE = 100
"""How many runs are deleted, or leases renewed, in one go of the server."""

_MOST_PRUNED = 10 * _SLICE
_CONNECTING = Retry(ExponentialWithJitterBackoff(base=0.01, cap=0.5), retries=5)
_SILENCE = 5.0
"""How many seconds without an answer mean that there is no server."""

_PATIENCE = timedelta(seconds=1)
"""How long replicas may take to confirm a write."""


class RedisStorage(Transactionless):
    """Keeps runs in Redis or Valkey, for many processes.

    Each change is one script on the server, so that it happens whole or not at all. Nothing
    expires: finished runs past their retention are pruned by whoever looks for due runs.

    Args:
        url_or_client: `redis://…`, `rediss://…`, `unix://…`, or a client of redis-py's asyncio
            kind, which stays the caller's to close; a cluster takes a `RedisCluster`.
        namespace: What all keys begin with, in braces; storages of other namespaces are strangers.
        retention: How long finished runs stay; None for ever.
        require_persistence: Refuse to open on a server that may lose what it is given, instead
            of warning of it.
        replicas: How many replicas have to confirm each write.
        codec: How data are written.

    Raises:
        InvalidArgument: An argument has a value that it cannot take.
    """

    durable: ClassVar[bool] = True
    transactional: ClassVar[bool] = False

    def __init__(
        self,
        url_or_client: str | Redis | RedisCluster,
        *,
        namespace: str = "hephaestus",
        retention: Duration | None = timedelta(days=7),
        require_persistence: bool = False,
        replicas: int = 0,
        codec: Codec | None = None,
    ) -> None:
        self.codec = codec or Codec()
        self._keys = Keys(namespace)
        self._retention = Retention(retention)
        self._require_persistence = require_persistence
        self._owned: Redis | None = None
        if isinstance(url_or_client, str):
            url_or_client = self._owned = _client_of(url_or_client)
        # What runners write one after the other goes without the driver's ceremonies; a reply
        # to a query may be long.
        work = link_to(url_or_client, keeps=True)
        link = link_to(url_or_client)
        if type(replicas) is not int or replicas < 0:
            raise InvalidArgument(f"replicas= is a whole number from 0, not {replicas!r}")
        prefix = self._keys.prefix
        if replicas:
            work = link = Replicated(link, prefix=prefix, replicas=replicas, patience=_PATIENCE)
        self._work = Pipeline(work, prefix)
        # Neither a long query nor many outcomes may keep a lease from being renewed.
        self._care = Pipeline(link, prefix)
        self._reads = Pipeline(link, prefix)
        self._queries = Queries(self._reads, self._keys, self.codec)
        self._opening = asyncio.Lock()
        self._opened = 0

    async def open(self) -> None:
        """Reach the server and examine it; see `Storage.open`."""
        async with self._opening:
            if not self._opened:
                try:
                    await server.examine(self._reads, require_persistence=self._require_persistence)
                except BaseException:
                    await self._let_go()
                    raise
            self._opened += 1

    async def close(self) -> None:
        """Give up the connections; a client that was given stays open."""
        async with self._opening:
            self._opened = max(0, self._opened - 1)
            if not self._opened:
                await self._let_go()

    async def get(
        self,
        id: str,
        *,
        workflow: object = None,
        version: int | None = None,
        history: bool = True,
        session: object = None,
    ) -> Instance:
        """Return a run by run id or id; see `Storage.get`."""
        self.refuse_session(session)
        found = self._queries.find(id, workflow, version)
        if not history:
            run_id, fields = await found
            return rows.to_instance(run_id, fields, self.codec)
        # Mostly it is a run id, so that one round trip brings both.
        (run_id, fields), entries = await asyncio.gather(found, self._history(id))
        if run_id != id:
            entries = await self._history(run_id)
        return rows.to_instance(run_id, fields, self.codec, tuple(entries))

    async def put(self, instance: Instance) -> None:
        """Restore or import a run; see `Storage.put`."""
        instance = importable(instance)
        call = rows.putting(instance, self.codec)
        _accept(instance, await self._work.run(script.PUT, call))

    async def delete(self, id: str) -> bool:
        """Delete all runs of an id, or the run of a run id."""
        call = {"id": keys.findable(id), "limit": _SLICE}
        deleted = count = await self._reads.run(script.DELETE, call)
        while count == _SLICE:
            count = await self._reads.run(script.DELETE, call)
        return bool(deleted)

    async def query(self, **filters: Any) -> list[Instance]:
        """Return the runs that pass all filters."""
        return await self._queries.select(Filters.parse(filters))

    async def count(self, **filters: Any) -> int:
        """Return how many runs pass all filters."""
        return await self._queries.count(Filters.parse(filters))

    async def record(self, entry: Entry) -> None:
        """Append an entry to a history."""
        lines = histories.lines([recordable(entry)], self.codec)
        call = {"run_id": entry.run_id, "entries": lines}
        await self._work.run(script.RECORD, call)

    async def entries(self, id: str) -> list[Entry]:
        """Return the history of a run."""
        if await self._queries.has_runs(id):
            id, _ = await self._queries.find(id, None, None)
        return await self._history(id)

    async def ids(self, workflow: object = None, limit: int | None = None) -> list[str]:
        """Return the distinct ids, newest run first."""
        given = {} if workflow is None else {"workflow": workflow}
        limit = Filters.parse({"limit": limit}).limit
        return await self._queries.ids(Filters.parse(given), limit)

    async def prune(
        self,
        before: datetime,
        *,
        statuses: Collection[Status] | None = None,
        limit: int = 1000,
    ) -> int:
        """Delete finished runs that ended before a time."""
        wanted = checked_pruning(before, statuses, limit)
        call = {"before": keys.moment(before), "statuses": sorted(wanted)}
        deleted = 0
        while deleted < limit:
            size = min(_SLICE, limit - deleted)
            count = await self._reads.run(script.PRUNE, {**call, "limit": size})
            deleted += count
            if count < size:
                break
        return deleted

    async def create(self, change: Change, *, session: object = None) -> None:
        """Insert a run; see `Storage.create`."""
        self.refuse_session(session)
        call = rows.creating(change, self.codec)
        _accept(change.instance, await self._work.run(script.CREATE, call))

    async def load(self, run_id: str) -> Snapshot:
        """Return a run with its inbox and leases."""
        reply = await self._work.run(script.LOAD, {"run_id": keys.findable(run_id)})
        if not reply[0]:
            raise InstanceNotFound(run_id)
        return rows.to_snapshot(run_id, reply, self.codec)

    async def commit(self, change: Change) -> None:
        """Write a change against the revision that it was computed from."""
        call = rows.committing(change, self.codec)
        _accept(change.instance, await self._work.run(script.COMMIT, call))

    async def post(self, message: Message, *, session: object = None) -> bool:
        """Put a message into its run's inbox."""
        self.refuse_session(session)
        (answer,) = await self._work.run(script.POST, letters.posting(message, self.codec))
        if answer == b"missing":
            raise InstanceNotFound(message.run_id)
        return bool(answer == b"posted")

    async def withdraw(self, message_id: str) -> bool:
        """Take a message back."""
        return bool(await self._work.run(script.WITHDRAW, {"id": keys.findable(message_id)}))

    async def due(
        self,
        now: datetime,
        limit: int,
        workflows: Collection[tuple[str, int]],
        *,
        hand_over: timedelta,
    ) -> list[str]:
        """Return runs that need attention, each to one caller; prune what is past retention."""
        past = self._retention.past(now)
        if past is not None and await self.prune(past, limit=_MOST_PRUNED) == _MOST_PRUNED:
            self._retention.go_on()
        call = {
            "now": keys.instant(now),
            "until": keys.instant(now + hand_over),
            "kinds": [f"{version}:{name}" for name, version in workflows],
            "limit": limit,
        }
        return [run_id.decode() for run_id in await self._care.run(script.DUE, call)]

    async def claim(
        self,
        lease: Lease,
        now: datetime,  # noqa: ARG002  # nobody takes an expired lease over
        *,
        results: Collection[str],
    ) -> Instance | None:
        """Take a lease, or answer None; one of a run that cannot be read runs out by itself."""
        names = rows.fields_with(results)
        run_id = keys.findable(lease.run_id)
        call = {"run_id": run_id, "granted": granting(lease), "fields": names}
        values = await self._work.run(script.CLAIM, call)
        if values is None:
            return None
        return rows.to_instance(lease.run_id, rows.named(names, values), self.codec)

    async def renew(self, leases: Sequence[Lease], until: datetime, now: datetime) -> list[Lease]:
        """Extend leases, and return those that are lost."""
        parts = [leases[first : first + _SLICE] for first in range(0, len(leases), _SLICE)]
        times = {"until": keys.instant(until), "now": keys.instant(now)}
        calls = [{"leases": [holding(lease) for lease in part], **times} for part in parts]
        answers = await self._care.run_all(script.RENEW, calls)
        return [
            part[place - 1] for part, lost in zip(parts, answers, strict=True) for place in lost
        ]

    async def release(self, leases: Sequence[Lease], now: datetime) -> None:
        """Give leases back."""
        parts = [leases[first : first + _SLICE] for first in range(0, len(leases), _SLICE)]
        calls = [
            {"leases": [holding(lease) for lease in part], "now": keys.instant(now)}
            for part in parts
        ]
        await self._care.run_all(script.RELEASE, calls)

    async def adopt(self, owner: Owner, now: datetime) -> int:
        """Expire the leases of earlier incarnations of a name."""
        if owner.name is None:
            return 0
        call = {"name": owner.name, "incarnation": owner.incarnation, "now": keys.instant(now)}
        return int(await self._care.run(script.ADOPT, call))

    async def _let_go(self) -> None:
        """Close the connections that are the storage's own."""
        for pipeline in (self._work, self._care, self._reads):
            await pipeline.let_go()
        if self._owned is not None:
            await self._owned.aclose()

    async def _history(self, run_id: str) -> list[Entry]:
        (reply,) = await self._reads.ask(("HGETALL", self._keys.history(run_id)))
        return histories.entries(run_id, rows.paired(reply), self.codec)


def _client_of(url: str) -> Redis:
    try:
        # What the URL says itself comes before this. The older protocol needs no hello.
        client: Redis = Redis.from_url(
            url,
            protocol=2,
            retry=_CONNECTING,
            socket_timeout=_SILENCE,
            socket_connect_timeout=_SILENCE,
        )
    except ValueError:
        # Nothing of it is repeated, nor what the driver says of it: it may hold a password.
        raise InvalidArgument(
            "the address of a Redis is a URL as redis://user:password@host:6379/0, rediss://… or "
            "unix://…, with the special characters of the password percent-encoded"
        ) from None
    return client


def _accept(instance: Instance, answer: Sequence[bytes]) -> None:
    """Raise what a script that writes a run has refused."""
    match answer:
        case [b"stale"]:
            raise StaleInstance(instance.run_id, instance.revision - 1)
        case [b"taken", holder]:
            raise AlreadyRunning(instance.id, holder.decode())

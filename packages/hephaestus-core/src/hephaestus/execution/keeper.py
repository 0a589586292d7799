"""Keeping the leases of the steps that this process executes."""

import asyncio
import itertools
import logging
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec

from hephaestus.clock import Clock
from hephaestus.errors import StorageUnavailable
from hephaestus.instance import Instance
from hephaestus.storage import Lease, Owner, Storage

_log = logging.getLogger("hephaestus.runner")
_RENEWALS = 3
"""How often a lease is renewed before it would end."""


class Held:
    """A lease that is renewed; within its `with` block, its loss cancels the task."""

    __slots__ = ("_body", "ended", "lease", "sole")

    def __init__(self, lease: Lease, sole: bool) -> None:
        self.lease = lease
        self.sole = sole
        """Whether its step is the only one at which the run stands."""

        self.ended = False
        """Whether it is renewed no more: lost, ended by a commit, or dropped."""

        self._body: asyncio.Task[Any] | None = None

    def __enter__(self) -> None:
        self._body = asyncio.current_task()

    def __exit__(self, *exception: object) -> None:
        # A lease that ends from here on is our own doing, or changes nothing any more.
        self._body = None

    def lose(self) -> bool:
        """Be lost, and tell whether that stops a body."""
        self.ended = True
        return self._body is not None and self._body.cancel()


class LeaseKeeper:
    """Renews all leases of a process in one write, and says which are lost."""

    def __init__(self, storage: Storage, clock: Clock, owner: Owner, length: timedelta) -> None:
        self.owner = owner
        self._storage = storage
        self._clock = clock
        self._length = length
        self._held: dict[str, dict[tuple[str, int], Held]] = {}
        """By run, and there by step and attempt."""

        self._abandoned: list[Lease] = []
        self._numbers = itertools.count(1)

    def lease(self, run_id: str, step: str, attempt: int, now: datetime) -> Lease:
        """Return a lease of full length; it holds once the storage has it."""
        return Lease(
            run_id=run_id,
            step=step,
            attempt=attempt,
            owner=self.owner,
            number=next(self._numbers),
            until=now + self._length,
        )

    async def claim(
        self, run_id: str, step: str, attempt: int, *, results: Collection[str]
    ) -> tuple[Instance, Held] | None:
        """Take the lease of a step that is ready; None if there is nothing to execute.

        Args:
            results: Whose results are to be read, as `Storage.claim` has it.
        """
        now = self._clock.now()
        lease = self.lease(run_id, step, attempt, now)
        try:
            instance = await self._storage.claim(lease, now, results=results)
        except BaseException:
            # Nobody knows whether it is ours now, and nobody executes it.
            self.abandon([lease])
            raise
        return None if instance is None else (instance, self.hold(lease))

    def prolonged(self, lease: Lease, now: datetime) -> Lease:
        """Return the lease at full length again."""
        return msgspec.structs.replace(lease, until=now + self._length)

    def hold(self, lease: Lease, *, sole: bool = False) -> Held:
        """Renew the lease from now on.

        An earlier lease of the same attempt is lost by now: the run failed and was taken up
        again, before a renewal could tell.

        Args:
            sole: Whether its step is the only one at which the run stands.
        """
        held = Held(lease, sole)
        places = self._held.setdefault(lease.run_id, {})
        former = places.get((lease.step, lease.attempt))
        places[lease.step, lease.attempt] = held
        if former is not None:
            former.lose()
        return held

    def drop(self, held: Held) -> None:
        """Renew that lease no more."""
        if not held.ended:
            held.ended = True
            self._forget(held.lease)

    def holds(self, run_id: str, step: str, attempt: int) -> bool:
        """Tell whether this process has the lease of an attempt."""
        return (step, attempt) in self._held.get(run_id, ())

    def carries(self, run_id: str) -> bool:
        """Tell whether the only step at which a run stands is executed here: it is running."""
        places = self._held.get(run_id)
        return places is not None and any(held.sole for held in places.values())

    def of(self, run_id: str, attempts: Sequence[tuple[str, int]]) -> list[Held]:
        """Return what is held of these (step, attempt) pairs of a run."""
        places = self._held.get(run_id)
        if places is None:
            return []
        return [places[attempt] for attempt in attempts if attempt in places]

    def lose(self, ending: Sequence[Held]) -> None:
        """Stop the bodies whose leases a commit of this process has ended."""
        for held in ending:
            if not held.ended:
                self._forget(held.lease)
                held.lose()

    async def run(self) -> None:
        """Renew for ever."""
        pause = self._length.total_seconds() / _RENEWALS
        while True:
            reached = await self._clock.pause(pause)
            if self._held or self._abandoned:
                try:
                    await self._give_back()
                    await self.renew(reached)
                except StorageUnavailable as error:
                    _log.warning("leases could not be renewed: %s", error)
                except Exception:  # noqa: BLE001  # every later lease hangs on this loop
                    _log.exception("leases could not be renewed")

    async def renew(self, reached: datetime) -> None:
        """Extend every lease that is held, and give up those that are lost.

        A process that was blocked past a lease has lost it like any other.

        Args:
            reached: The time that the clock is about to reach; leases last beyond it.
        """
        asked = {held.lease.key: held for held in self._all()}
        leases = [held.lease for held in asked.values()]
        lost = await self._storage.renew(leases, reached + self._length, self._clock.now())
        for lease in lost:
            held = asked[lease.key]
            if not held.ended:
                self._forget(lease)
                # Without a body, a commit has ended it whose answer is still on its way.
                if held.lose():
                    _log.warning(
                        "the lease of step %r, attempt %d, of run %s is lost; its body is stopped",
                        lease.step, lease.attempt, lease.run_id,
                    )  # fmt: skip

    def abandon(self, leases: Iterable[Lease]) -> None:
        """Give back, with the next renewal, leases of a write whose fate is not known."""
        self._abandoned.extend(leases)

    async def release(self) -> None:
        """Give back what is still held, so that others take over at once."""
        for held in self._all():
            self._abandoned.append(held.lease)
            self.drop(held)
        await self._give_back()

    def _all(self) -> list[Held]:
        return [held for places in self._held.values() for held in places.values()]

    def _forget(self, lease: Lease) -> None:
        places = self._held[lease.run_id]
        del places[lease.step, lease.attempt]
        if not places:
            del self._held[lease.run_id]

    async def _give_back(self) -> None:
        leases = tuple(self._abandoned)
        if leases:
            await self._storage.release(leases, self._clock.now())
            del self._abandoned[: len(leases)]  # what came meanwhile stands behind them

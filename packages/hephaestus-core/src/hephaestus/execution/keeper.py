"""Keeping the leases of the steps that this process executes."""

import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from hephaestus.clock import Clock
from hephaestus.errors import StorageUnavailable
from hephaestus.storage import Lease, Owner, Storage

_log = logging.getLogger("hephaestus.runner")
_RENEWALS = 3
"""How often a lease is renewed before it would end."""


class LeaseKeeper:
    """Renews all leases of a process in one write, and says which are lost."""

    def __init__(self, storage: Storage, clock: Clock, owner: Owner, length: timedelta) -> None:
        self.owner = owner
        self._storage = storage
        self._clock = clock
        self._length = length
        self._held: dict[tuple[str, str, int], tuple[Lease, Callable[[], object]]] = {}

    def lease(self, run_id: str, step: str, attempt: int, now: datetime) -> Lease:
        """Return a lease of full length; it holds once the storage has it."""
        return Lease(
            run_id=run_id, step=step, attempt=attempt, owner=self.owner, until=now + self._length
        )

    def hold(self, lease: Lease, on_lost: Callable[[], object]) -> None:
        """Renew the lease from now on; `on_lost` is called if that fails.

        An earlier lease of the same attempt is lost by now: the run failed and was taken up
        again, before a renewal could tell.
        """
        former = self._held.get(lease.key)
        self._held[lease.key] = (lease, on_lost)
        if former is not None and former[0] is not lease:
            former[1]()

    def holds(self, lease: Lease) -> bool:
        """Tell whether the lease is renewed: neither lost, nor ended by a commit, nor dropped."""
        held = self._held.get(lease.key)
        return held is not None and held[0] is lease

    def drop(self, lease: Lease) -> None:
        """Renew that lease no more."""
        if self.holds(lease):
            del self._held[lease.key]

    def lose(self, run_id: str, ended: Sequence[tuple[str, int]]) -> None:
        """Stop the bodies whose leases a commit of this process ended."""
        for step, attempt in ended:
            held = self._held.pop((run_id, step, attempt), None)
            if held is not None:
                held[1]()

    async def run(self) -> None:
        """Renew for ever."""
        pause = self._length.total_seconds() / _RENEWALS
        while True:
            reached = await self._clock.pause(pause)
            if self._held:
                try:
                    await self.renew(reached)
                except StorageUnavailable as error:
                    _log.warning("leases could not be renewed: %s", error)

    async def renew(self, reached: datetime) -> None:
        """Extend every lease that is held, and give up those that are lost.

        A process that was blocked past a lease has lost it like any other.

        Args:
            reached: The time that the clock is about to reach; leases last beyond it.
        """
        asked = {key: lease for key, (lease, _) in self._held.items()}
        lost = await self._storage.renew(
            [*asked.values()], reached + self._length, self._clock.now()
        )
        for lease in lost:
            if self.holds(asked[lease.key]):
                _log.warning(
                    "the lease of step %r, attempt %d, of run %s is lost; its body is stopped",
                    lease.step, lease.attempt, lease.run_id,
                )  # fmt: skip
                _, on_lost = self._held.pop(lease.key)
                on_lost()

    async def release(self) -> None:
        """Give back what is still held, so that others take over at once."""
        leases = [lease for lease, _ in self._held.values()]
        self._held.clear()
        if leases:
            await self._storage.release(leases, self._clock.now())

"""What each process of a crowd does at the same time as the others."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Iterable
from typing import Any

import msgspec

from crowd.flows import FLOWS
from hephaestus import Hephaestus, LocalRunner
from hephaestus.errors import AlreadyRunning, HephaestusError, InstanceNotFound, StaleInstance
from hephaestus.storage import Owner
from hephaestus.testing.storage.samples import (
    NOW,
    change,
    due,
    ended,
    event,
    lease,
    moved,
    new_run,
)
from hephaestus_postgres import PostgresStorage

_EMPTY_ANSWERS = 5
"""So many in a row mean that nothing is left: one may only have looked at what others took."""


async def start(storage: PostgresStorage, flow: str, value: str, times: int) -> Counter[str]:
    """Start runs of one key, and count what became of them."""
    async with Hephaestus(storage, LocalRunner()):
        return await _counted(FLOWS[flow].start(value, {}) for _ in range(times))


async def start_and_end(storage: PostgresStorage, key: str, times: int) -> Counter[str]:
    """Create runs of one key, and end at once each that could be created."""

    async def one() -> None:
        run = new_run(unique_key=key)
        await storage.create(change(run))
        await storage.commit(change(ended(run)))

    return await _counted(one() for _ in range(times))


async def retry_or_start(storage: PostgresStorage, key: str, run_id: str) -> Counter[str]:
    """Take a failed run up again, and start others of its key."""
    failed = (await storage.load(run_id)).instance
    again = msgspec.structs.replace(failed, revision=2, status="running", finished_at=None)
    starts = [storage.create(change(new_run(unique_key=key))) for _ in range(5)]
    return await _counted([storage.commit(change(again)), *starts])


async def delete(storage: PostgresStorage, ids: list[str]) -> dict[str, bool]:
    """Delete runs, and tell of each whether it was there."""
    answers = await asyncio.gather(*map(storage.delete, ids))
    return dict(zip(ids, answers, strict=True))


async def delete_or_write(storage: PostgresStorage, ids: list[str]) -> Counter[str]:
    """Delete runs while their inboxes and histories are written."""

    async def commit(id: str) -> None:
        await storage.commit(change(moved((await storage.load(id)).instance)))

    async def post(id: str) -> None:
        await storage.post(event(new_run(run_id=id)))

    return await _counted(verb(id) for id in ids for verb in (commit, post, storage.delete))


async def take(storage: PostgresStorage, limit: int) -> list[str]:
    """Take what is due until there is no more."""
    taken: list[str] = []
    empty = 0
    while empty < _EMPTY_ANSWERS:
        found = await due(storage, limit=limit)
        taken += found
        empty = 0 if found else empty + 1
    return taken


async def claim(storage: PostgresStorage, ids: list[str], name: str) -> list[str]:
    """Claim one step of each run, and return those that were got."""
    owner = Owner(incarnation=name)
    runs = [(await storage.load(id)).instance for id in ids]
    claims = [storage.claim(lease(run, owner), NOW, results=()) for run in runs]
    return [run.run_id for run in await asyncio.gather(*claims) if run is not None]


async def post(storage: PostgresStorage, ids: list[str]) -> list[str]:
    """Post a message of one dedup key to each run, and return those that took it."""
    runs = [(await storage.load(id)).instance for id in ids]
    posts = [storage.post(event(run, dedup_key="paid once")) for run in runs]
    taken = await asyncio.gather(*posts)
    return [id for id, is_new in zip(ids, taken, strict=True) if is_new]


async def _counted(calls: Iterable[Awaitable[Any]]) -> Counter[str]:
    """Await all at once; count what went well, and errors by their names."""
    results = await asyncio.gather(*calls, return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException) and not isinstance(result, _FORESEEN):
            raise result
    return Counter(
        type(result).__name__ if isinstance(result, HephaestusError) else "done"
        for result in results
    )


_FORESEEN = (AlreadyRunning, StaleInstance, InstanceNotFound)

JOBS = {
    job.__name__: job
    for job in (
        start, start_and_end, retry_or_start, delete, delete_or_write, take, claim, post,
    )
}  # fmt: skip

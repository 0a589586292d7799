"""The right to execute a step: who gets it by `claim`."""

import asyncio
from collections.abc import Collection
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from hephaestus.context import Context
from hephaestus.instance import ActiveStep
from hephaestus.storage import Owner, Storage
from hephaestus.testing.storage.samples import (
    ALICE,
    ALICE_AGAIN,
    BOB,
    LEASE,
    NOW,
    SECOND,
    commit,
    finished_run,
    lease,
    moved,
    new_run,
    outcome,
    store,
)

LATER = NOW + SECOND
EXPIRED = NOW + LEASE


class Claiming:
    """Clauses about claiming a step."""

    async def test_a_claim_of_a_ready_step_returns_the_run_and_takes_the_lease(
        self, storage: Storage
    ) -> None:
        run = await store(storage, new_run(initial={"total": 3}))

        claimed = await storage.claim(lease(run), NOW, results=())

        assert claimed == run
        assert (await storage.load(run.run_id)).leases == (lease(run),)

    @pytest.mark.parametrize(
        ("asked", "expected"),
        [
            ((), {}),
            (("check",), {"check": {"ok": True}}),
            (("unheard", "charge"), {}),
            (("weigh", "check"), {"check": {"ok": True}, "weigh": {"kg": 2}}),
            (frozenset({"weigh", "unheard"}), {"weigh": {"kg": 2}}),
        ],
        ids=["none", "some", "unknown", "all", "a set"],
    )
    async def test_a_claim_returns_the_results_that_it_asks_for_and_no_others(
        self, storage: Storage, asked: Collection[str], expected: dict[str, Any]
    ) -> None:
        steps = {"check": {"ok": True}, "weigh": {"kg": 2}}
        run = new_run(context=Context(initial={"total": 3}, steps=steps))
        await store(storage, run, results=("check", "weigh"))

        claimed = await storage.claim(lease(run), NOW, results=asked)

        shown = Context(initial={"total": 3}, steps=expected)
        assert claimed == msgspec.structs.replace(run, context=shown)
        assert (await storage.load(run.run_id)).instance == run

    @pytest.mark.parametrize(
        "step",
        [
            ActiveStep(since=NOW, attempt=2),
            ActiveStep(since=NOW, state="waiting"),
            ActiveStep(since=NOW, state="halted"),
        ],
    )
    async def test_a_step_that_is_not_ready_at_that_attempt_is_not_claimed(
        self, storage: Storage, step: ActiveStep
    ) -> None:
        run = await store(storage, new_run(active={"charge": step}))

        claimed = await storage.claim(lease(run, attempt=1), NOW, results=())

        assert claimed is None
        assert (await storage.load(run.run_id)).leases == ()

    async def test_a_step_that_is_not_active_is_not_claimed(self, storage: Storage) -> None:
        run = await store(storage, new_run())

        claimed = await storage.claim(lease(run, step="pack"), NOW, results=())

        assert claimed is None

    async def test_a_step_of_a_finished_run_is_not_claimed(self, storage: Storage) -> None:
        run = await store(storage, finished_run())

        claimed = await storage.claim(lease(run), NOW, results=())

        assert claimed is None

    async def test_a_step_of_a_run_that_is_gone_is_not_claimed(self, storage: Storage) -> None:
        run = await store(storage, new_run())
        await storage.delete(run.run_id)

        claimed = await storage.claim(lease(run), NOW, results=())

        assert claimed is None

    async def test_a_step_whose_outcome_lies_in_the_inbox_is_not_claimed(
        self, storage: Storage
    ) -> None:
        run = await store(storage, new_run())
        await storage.post(outcome(run))

        claimed = await storage.claim(lease(run), NOW, results=())

        assert claimed is None

    @pytest.mark.parametrize("other", [{"step": "pack", "attempt": 2}, {"attempt": 1}])
    async def test_outcomes_of_other_steps_and_attempts_do_not_keep_a_step_from_being_claimed(
        self, storage: Storage, other: dict[str, Any]
    ) -> None:
        run = await store(storage, new_run(active={"charge": ActiveStep(since=NOW, attempt=2)}))
        await storage.post(outcome(run, **other))

        claimed = await storage.claim(lease(run, attempt=2), NOW, results=())

        assert claimed is not None

    @pytest.mark.parametrize("owner", [ALICE, ALICE_AGAIN, BOB])
    @pytest.mark.parametrize("now", [NOW, EXPIRED, NOW + timedelta(days=1)])
    async def test_an_unreleased_lease_keeps_everyone_from_claiming_expired_or_not(
        self, storage: Storage, owner: Owner, now: Any
    ) -> None:
        run = await store(storage, new_run())
        await storage.claim(lease(run, ALICE), NOW, results=())

        claimed = await storage.claim(lease(run, owner, until=now + LEASE), now, results=())

        assert claimed is None
        assert (await storage.load(run.run_id)).leases == (lease(run, ALICE),)

    async def test_a_lease_that_was_granted_with_the_run_keeps_others_from_claiming(
        self, storage: Storage
    ) -> None:
        run = new_run()
        await store(storage, run, granted=(lease(run, ALICE),))

        claimed = await storage.claim(lease(run, BOB), NOW, results=())

        assert claimed is None

    async def test_a_step_whose_lease_was_released_is_anyones(self, storage: Storage) -> None:
        run = await store(storage, new_run())
        await storage.claim(lease(run, ALICE), NOW, results=())
        await storage.release([lease(run, ALICE)], LATER)

        claimed = await storage.claim(lease(run, BOB), LATER, results=())

        assert claimed is not None
        assert (await storage.load(run.run_id)).leases == (lease(run, BOB),)

    async def test_an_attempt_whose_lease_a_commit_ended_is_claimed_at_the_next(
        self, storage: Storage
    ) -> None:
        run = await store(storage, new_run())
        await storage.claim(lease(run, ALICE), NOW, results=())
        step = {"charge": ActiveStep(since=NOW, attempt=2)}
        await commit(storage, moved(run, active=step), ended=(("charge", 1),))

        old = await storage.claim(lease(run, BOB, attempt=1), NOW, results=())
        new = await storage.claim(lease(run, BOB, attempt=2), NOW, results=())

        assert (old is None, new is None) == (True, False)

    async def test_of_fifty_simultaneous_claims_one_succeeds(self, storage: Storage) -> None:
        run = await store(storage, new_run())
        claims = [lease(run, Owner(incarnation=f"worker-{n}")) for n in range(50)]

        claimed = await asyncio.gather(*(storage.claim(claim, NOW, results=()) for claim in claims))

        winners = [claim for claim, found in zip(claims, claimed, strict=True) if found is not None]
        assert list((await storage.load(run.run_id)).leases) == winners
        assert len(winners) == 1

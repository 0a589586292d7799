"""What becomes of the right to execute a step: `renew`, `release` and `adopt`."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from hephaestus.instance import Instance
from hephaestus.storage import Lease, Owner, Storage
from hephaestus.testing.storage.samples import (
    ALICE,
    ALICE_AGAIN,
    BOB,
    LEASE,
    NAMELESS,
    NOW,
    SECOND,
    commit,
    due,
    ended,
    lease,
    moved,
    new_run,
    store,
)

LATER = NOW + SECOND
EXPIRED = NOW + LEASE


class Renewing:
    """Clauses about keeping leases."""

    async def test_a_lease_that_is_held_is_extended(self, storage: Storage) -> None:
        run, held = await _leased(storage, ALICE)

        lost = await storage.renew([held], LATER + LEASE, LATER)

        assert lost == []
        assert (await storage.load(run.run_id)).leases == (lease(run, ALICE, until=LATER + LEASE),)

    async def test_a_lease_is_extended_again_and_again(self, storage: Storage) -> None:
        _, held = await _leased(storage, ALICE)
        moments = [NOW + n * 2 * LEASE / 3 for n in range(1, 4)]

        lost = [await storage.renew([held], now + LEASE, now) for now in moments]

        assert lost == [[], [], []]

    async def test_a_lease_that_has_expired_is_lost(self, storage: Storage) -> None:
        run, held = await _leased(storage, ALICE)

        lost = await storage.renew([held], EXPIRED + LEASE, EXPIRED)

        assert lost == [held]
        assert (await storage.load(run.run_id)).leases == (held,)

    async def test_a_lease_is_held_until_the_moment_before_its_end(self, storage: Storage) -> None:
        _, held = await _leased(storage, ALICE)

        lost = await storage.renew([held], EXPIRED + LEASE, EXPIRED - timedelta(microseconds=1))

        assert lost == []

    async def test_a_lease_that_a_commit_ended_is_lost(self, storage: Storage) -> None:
        run, held = await _leased(storage, ALICE)
        await commit(storage, ended(run), ended=(("charge", 1),))

        lost = await storage.renew([held], LATER + LEASE, LATER)

        assert lost == [held]

    async def test_a_lease_that_was_released_is_lost(self, storage: Storage) -> None:
        _, held = await _leased(storage, ALICE)
        await storage.release([held], NOW)

        lost = await storage.renew([held], LATER + LEASE, LATER)

        assert lost == [held]

    async def test_a_lease_of_a_run_that_is_gone_is_lost(self, storage: Storage) -> None:
        run, held = await _leased(storage, ALICE)
        await storage.delete(run.run_id)

        lost = await storage.renew([held], LATER + LEASE, LATER)

        assert lost == [held]

    async def test_nobody_extends_the_lease_of_another_incarnation(self, storage: Storage) -> None:
        run, held = await _leased(storage, ALICE)
        other = lease(run, ALICE_AGAIN)

        lost = await storage.renew([other], LATER + LEASE, LATER)

        assert lost == [other]
        assert (await storage.load(run.run_id)).leases == (held,)

    async def test_another_lease_of_the_same_owner_is_not_extended(self, storage: Storage) -> None:
        run, held = await _leased(storage, ALICE)
        former = msgspec.structs.replace(held, number=7)

        lost = await storage.renew([former], LATER + LEASE, LATER)

        assert lost == [former]
        assert (await storage.load(run.run_id)).leases == (held,)

    async def test_a_renewal_that_arrives_late_does_not_shorten_a_lease(
        self, storage: Storage
    ) -> None:
        run, held = await _leased(storage, ALICE)
        await storage.renew([held], LATER + LEASE, LATER)

        await storage.renew([held], NOW + LEASE, NOW)

        assert (await storage.load(run.run_id)).leases == (lease(run, ALICE, until=LATER + LEASE),)

    async def test_of_many_leases_those_that_are_lost_are_named(self, storage: Storage) -> None:
        runs = [await store(storage, new_run(f"orderid::{n}")) for n in range(6)]
        leases = [lease(run, NAMELESS) for run in runs]
        for held in leases[:4]:
            await storage.claim(held, NOW, results=())
        await storage.release(leases[:1], NOW)

        lost = await storage.renew(leases, LATER + LEASE, LATER)

        assert {held.key for held in lost} == {leases[n].key for n in (0, 4, 5)}

    async def test_renewing_nothing_loses_nothing(self, storage: Storage) -> None:
        nothing: list[Lease] = []

        lost = await storage.renew(nothing, NOW + LEASE, NOW)

        assert lost == []


class Releasing:
    """Clauses about giving leases back."""

    async def test_a_lease_that_is_released_is_shown_as_such(self, storage: Storage) -> None:
        run, held = await _leased(storage, ALICE)

        await storage.release([held], LATER)

        (shown,) = (await storage.load(run.run_id)).ended(LATER)
        assert (shown.step, shown.attempt, shown.released) == ("charge", 1, True)

    async def test_nobody_releases_the_lease_of_another_incarnation(self, storage: Storage) -> None:
        run, held = await _leased(storage, ALICE)

        await storage.release([lease(run, ALICE_AGAIN), lease(run, BOB)], NOW)

        assert (await storage.load(run.run_id)).leases == (held,)

    async def test_a_late_release_leaves_another_lease_of_the_same_owner_alone(
        self, storage: Storage
    ) -> None:
        run, held = await _leased(storage, ALICE)

        await storage.release([msgspec.structs.replace(held, number=7)], NOW)

        assert (await storage.load(run.run_id)).leases == (held,)

    async def test_a_lease_that_has_expired_cannot_be_released(self, storage: Storage) -> None:
        run, held = await _leased(storage, ALICE)

        await storage.release([held], EXPIRED)

        assert (await storage.load(run.run_id)).leases == (held,)

    async def test_a_commit_that_frees_what_was_released_forgets_the_lease(
        self, storage: Storage
    ) -> None:
        run, held = await _leased(storage, ALICE)
        await storage.release([held], NOW)

        await commit(storage, moved(run), freed=(("charge", 1),))

        assert (await storage.load(run.run_id)).leases == ()
        assert await due(storage, EXPIRED) == []

    async def test_a_commit_does_not_free_what_somebody_has_claimed_since(
        self, storage: Storage
    ) -> None:
        run, held = await _leased(storage, ALICE)
        await storage.release([held], NOW)
        await storage.claim(lease(run, BOB), NOW, results=())

        await commit(storage, moved(run), freed=(("charge", 1),))

        assert (await storage.load(run.run_id)).leases == (lease(run, BOB),)

    async def test_releasing_what_is_gone_does_no_harm(self, storage: Storage) -> None:
        run, held = await _leased(storage, ALICE)
        await storage.delete(run.run_id)

        await storage.release([held], NOW)

        assert await storage.count() == 0


class Adopting:
    """Clauses about taking over what an earlier incarnation of a name held."""

    async def test_leases_of_earlier_incarnations_expire(self, storage: Storage) -> None:
        run, held = await _leased(storage, ALICE)

        adopted = await storage.adopt(ALICE_AGAIN, LATER)

        (shown,) = (await storage.load(run.run_id)).ended(LATER)
        assert adopted == 1
        assert (shown.step, shown.attempt, shown.released) == ("charge", 1, False)
        assert await storage.renew([held], LATER + LEASE, LATER) == [held]

    async def test_a_run_whose_lease_is_adopted_is_due_at_once(self, storage: Storage) -> None:
        run, _ = await _leased(storage, ALICE)

        await storage.adopt(ALICE_AGAIN, LATER)

        assert await due(storage, LATER) == [run.run_id]

    @pytest.mark.parametrize("holder", [ALICE_AGAIN, BOB, NAMELESS])
    async def test_leases_of_the_same_incarnation_and_of_other_names_stay(
        self, storage: Storage, holder: Owner
    ) -> None:
        run, held = await _leased(storage, holder)

        adopted = await storage.adopt(ALICE_AGAIN, LATER)

        assert adopted == 0
        assert (await storage.load(run.run_id)).leases == (held,)

    async def test_an_owner_without_a_name_adopts_nothing(self, storage: Storage) -> None:
        run, held = await _leased(storage, NAMELESS)

        adopted = await storage.adopt(Owner(incarnation="nameless-2"), LATER)

        assert adopted == 0
        assert (await storage.load(run.run_id)).leases == (held,)

    async def test_leases_that_were_released_or_have_expired_are_left_as_they_are(
        self, storage: Storage
    ) -> None:
        first, given_back = await _leased(storage, ALICE)
        second, expired = await _leased(storage, ALICE, until=LATER)
        await storage.release([given_back], NOW)

        adopted = await storage.adopt(ALICE_AGAIN, LATER)

        assert adopted == 0
        assert (await storage.load(first.run_id)).leases[0].released
        assert (await storage.load(second.run_id)).leases == (expired,)


async def _leased(
    storage: Storage, owner: Owner, *, until: Any = EXPIRED
) -> tuple[Instance, Lease]:
    run = await store(storage, new_run())
    held = lease(run, owner, until=until)
    await storage.claim(held, NOW, results=())
    return run, held

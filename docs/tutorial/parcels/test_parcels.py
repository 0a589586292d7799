"""What a parcel does, in no time."""

import asyncio
from datetime import timedelta

from parcels import Parcel, book_courier

from hephaestus.testing import Harness


def test_a_parcel_that_nobody_pays_ends_after_three_days():
    asyncio.run(wait_in_vain())


async def wait_in_vain():
    harness = Harness(Parcel)

    parcel = await harness.run({"to": "Ada", "grams": 1200})
    assert parcel.waiting_steps == {"paid"}

    parcel = await harness.advance(timedelta(days=3))
    assert parcel.status == "completed"
    assert parcel.skipped_steps == {"print_label", "book_courier", "hand_over"}


def test_a_courier_who_never_answers_fails_the_parcel():
    asyncio.run(call_in_vain())


async def call_in_vain():
    harness = Harness(Parcel, replace={book_courier: ConnectionError("nobody there")})

    parcel = await harness.run({"to": "Ada", "grams": 10}, events=[("paid", {"receipt": "r-1"})])
    assert (parcel.status, parcel.error.step) == ("failed", "book_courier")
    assert len(harness.attempts_of(book_courier)) == 3

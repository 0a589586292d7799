"""Leases as the scripts take and keep them."""

from typing import Any

import msgspec

from hephaestus.storage import Lease, Owner
from hephaestus_redis import keys


class _Held(msgspec.Struct, omit_defaults=True):
    """What is stored of a lease under its attempt; scripts read it, too."""

    until: str
    incarnation: str
    number: int
    name: str | None = None
    released: bool = False


_decoder = msgspec.msgpack.Decoder(dict[str, _Held])
_place = msgspec.json.Decoder(tuple[str, int])


def place_of(step: str, attempt: int) -> str:
    """Return a step's attempt as one text, in one line."""
    return msgspec.json.encode((step, attempt)).decode()


def granting(lease: Lease) -> dict[str, Any]:
    """Return a lease that begins."""
    owner = lease.owner
    return {
        "place": place_of(lease.step, lease.attempt),
        "lease": _Held(keys.instant(lease.until), owner.incarnation, lease.number, owner.name),
    }


def holding(lease: Lease) -> dict[str, Any]:
    """Return a lease that is said to be held."""
    return {
        "run_id": keys.findable(lease.run_id),
        "place": place_of(lease.step, lease.attempt),
        "incarnation": lease.owner.incarnation,
        "number": lease.number,
    }


def leases(run_id: str, stored: bytes | None) -> tuple[Lease, ...]:
    """Return the leases of a run.

    Raises:
        ValueError: They cannot be read.
    """
    if stored is None:
        return ()
    found = []
    for place, held in _decoder.decode(stored).items():
        step, attempt = _place.decode(place)
        lease = Lease(
            run_id=run_id,
            step=step,
            attempt=attempt,
            owner=Owner(incarnation=held.incarnation, name=held.name),
            number=held.number,
            until=keys.from_instant(held.until),
            released=held.released,
        )
        found.append(lease)
    return tuple(found)

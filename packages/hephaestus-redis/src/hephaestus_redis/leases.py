"""Leases as the scripts take and keep them."""

from typing import Any

import msgspec

from hephaestus.storage import Lease, Owner
from hephaestus_redis import keys

_ALARM = b"lease:"


class _Holder(msgspec.Struct, omit_defaults=True):
    """Who holds a lease; scripts read it, too."""

    incarnation: str
    number: int
    name: str | None = None


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(_Holder)
_place = msgspec.json.Decoder(tuple[str, int])


def place_of(step: str, attempt: int) -> str:
    """Return a step's attempt as one text, in one line."""
    return msgspec.json.encode((step, attempt)).decode()


def granting(lease: Lease) -> dict[str, Any]:
    """Return a lease that begins."""
    owner = lease.owner
    return {
        "place": place_of(lease.step, lease.attempt),
        "until": keys.instant(lease.until),
        "name": owner.name,
        "holder": _encoder.encode(_Holder(owner.incarnation, lease.number, owner.name)).decode(),
    }


def holding(lease: Lease) -> dict[str, Any]:
    """Return a lease that is said to be held."""
    return {
        "run_id": keys.findable(lease.run_id),
        "place": place_of(lease.step, lease.attempt),
        "incarnation": lease.owner.incarnation,
        "number": lease.number,
    }


def leases(
    run_id: str, stored: dict[bytes, bytes], alarms: dict[bytes, bytes]
) -> tuple[Lease, ...]:
    """Return the leases of a run.

    Raises:
        ValueError: They cannot be read.
    """
    found = []
    for place, raw in stored.items():
        step, attempt = _place.decode(place)
        holder = _decoder.decode(raw[1:])
        lease = Lease(
            run_id=run_id,
            step=step,
            attempt=attempt,
            owner=Owner(incarnation=holder.incarnation, name=holder.name),
            number=holder.number,
            until=keys.from_instant(alarms[_ALARM + place]),
            released=raw[:1] == b"r",
        )
        found.append(lease)
    return tuple(found)

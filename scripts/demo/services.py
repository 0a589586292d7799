"""What the steps call: a stock, a fraud bureau that falters, carriers that can be down."""

import asyncio
from collections.abc import Sequence
from typing import Any
from zlib import crc32

CARRIERS = {
    "DE": "Albatross", "ES": "Albatross", "FR": "Albatross", "IT": "Albatross",
    "FI": "Boreas", "NO": "Boreas", "SE": "Boreas",
}  # fmt: skip
"""Who delivers to which country."""

_down: set[str] = set()


class CarrierDown(ConnectionError):
    """The carrier does not answer."""


async def reserve(items: Sequence[Any], key: str) -> str:
    """Put the items aside; the same key means the same reservation."""
    await asyncio.sleep(0.002 * len(items))
    return f"R-{crc32(key.encode()):08x}"


async def risk_of(order_id: str, items: Sequence[Any], attempt: int) -> float:
    """Return the bureau's opinion, 0 to 1, unless it hangs up or never answers.

    When it falters depends on the order and the attempt alone, so that each run of the demo
    tells the same story.
    """
    mood = crc32(order_id.encode()) % 10
    if mood == 9 and attempt == 1:
        await asyncio.sleep(3600)
    if (mood == 8 and attempt <= 2) or (mood == 7 and attempt == 1):
        raise ConnectionError("the bureau hung up")
    await asyncio.sleep(0.01)
    gifts: int = sum(item["quantity"] for item in items if item["article"] == "gift card")
    return min(1.0, 0.02 + gifts / 20)


async def book(carrier: str, key: str) -> str:
    """Return the number of a parcel; the same key means the same parcel.

    Raises:
        CarrierDown: The carrier does not answer.
    """
    await asyncio.sleep(0.005)
    if carrier in _down:
        raise CarrierDown(f"{carrier} does not answer")
    return f"{carrier[0]}-{crc32(key.encode()):08x}"


def break_down(carrier: str) -> None:
    """Let a carrier answer nobody until it is repaired."""
    _down.add(carrier)


def repair(carrier: str) -> None:
    """Let a carrier answer again."""
    _down.discard(carrier)

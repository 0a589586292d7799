"""Reads orders from a JSON Lines file, and says what is wrong with each line that holds none."""

import re
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

import msgspec
from msgspec import Meta

from hephaestus import Codec

Text = Annotated[str, Meta(min_length=1)]


class Item(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One article of an order."""

    article: Text
    quantity: Annotated[int, Meta(ge=1)]
    cents: Annotated[int, Meta(ge=0)]
    """The price of one."""


class Order(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a line of the file holds."""

    id: str
    customer: Text
    country: Text
    postcode: str
    items: Annotated[list[Item], Meta(min_length=1)]
    delivery: Literal["standard", "express"] = "standard"
    intent: Literal["pay", "pay late", "not pay", "cancel"] = "pay"
    """What the customer is going to do."""

    def __post_init__(self) -> None:
        if not re.fullmatch("[a-z0-9]+", self.id):
            raise ValueError(f"an id is lower-case letters and digits, not {self.id!r}")

    @property
    def cents(self) -> int:
        """What the order costs."""
        return sum(item.quantity * item.cents for item in self.items)


class Fault(NamedTuple):
    """A line that holds no order."""

    line: int
    reason: str


def read(path: Path) -> tuple[list[Order], list[Fault]]:
    """Return the orders of a file, and what is wrong with the other lines; empty ones are fine.

    Raises:
        OSError: The file cannot be read.
    """
    orders: dict[str, Order] = {}
    lines: dict[str, int] = {}
    faults: list[Fault] = []
    content = path.read_bytes().removeprefix(b"\xef\xbb\xbf")
    for number, line in enumerate(content.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            order = _parsed(line)
        except ValueError as error:
            faults.append(Fault(number, str(error)))
            continue
        if order.id in orders:
            reason = f"the id {order.id!r} is taken by line {lines[order.id]}"
            faults.append(Fault(number, reason))
            continue
        orders[order.id], lines[order.id] = order, number
    return list(orders.values()), faults


def _parsed(line: bytes) -> Order:
    try:
        line.decode()
    except UnicodeDecodeError as error:
        raise ValueError(f"not UTF-8, from byte {error.start + 1} of the line on") from error
    order = msgspec.json.decode(line, type=Order)
    Codec().checked(order, "the order")  # what no storage takes had better not start
    return order

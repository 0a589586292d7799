"""What callers put into an inbox."""

from typing import Any

import pytest

from hephaestus import Done, Hephaestus, WaitForEvent, Workflow
from hephaestus.errors import InvalidArgument, UnknownEvent

paid = WaitForEvent("paid")


class Paying(Workflow, unique="paying"):
    start_step = paid
    transitions = {paid: {"received": Done}}


@pytest.mark.parametrize("event", [3, paid, ["paid"], "pa\0id"])
async def test_an_event_is_a_printable_text(event: Any) -> None:
    async with Hephaestus():
        run = await Paying.start("1", {})

        with pytest.raises(InvalidArgument, match="event must be a printable text"):
            await run.resume(event)


@pytest.mark.parametrize("dedup_key", [3, b"x", "a\0b"])
async def test_a_dedup_key_is_a_printable_text(dedup_key: Any) -> None:
    async with Hephaestus():
        run = await Paying.start("1", {})

        with pytest.raises(InvalidArgument, match="dedup_key must be a printable text"):
            await run.resume("paid", dedup_key=dedup_key)


async def test_a_misspelt_event_is_told_the_right_name() -> None:
    async with Hephaestus():
        run = await Paying.start("1", {})

        with pytest.raises(UnknownEvent, match="did you mean 'paid'"):
            await run.resume("payed")

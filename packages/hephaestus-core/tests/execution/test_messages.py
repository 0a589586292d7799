"""What callers put into an inbox."""

from typing import Any

import pytest

from hephaestus import Done, Hephaestus, WaitForEvent, Workflow
from hephaestus.errors import InvalidArgument, UnknownEvent

paid = WaitForEvent("paid")


class Paying(Workflow, unique="paying"):
    start_step = paid
    transitions = {paid: {"received": Done}}


@pytest.mark.parametrize("event", [3, paid, ["paid"], "pa\0id", "\ud800"])
async def test_an_event_is_a_text_that_can_be_stored(event: Any) -> None:
    async with Hephaestus():
        run = await Paying.start("1", {})

        with pytest.raises(InvalidArgument, match=r"^event (must be a text|cannot be stored)"):
            await run.resume(event)


@pytest.mark.parametrize("dedup_key", [3, b"x", "a\0b", "\ud800", "", "k" * 256])
async def test_a_dedup_key_is_a_text_that_can_be_stored(dedup_key: Any) -> None:
    async with Hephaestus():
        run = await Paying.start("1", {})

        with pytest.raises(InvalidArgument, match=r"^dedup_key (must be a text|cannot be stored)"):
            await run.resume("paid", dedup_key=dedup_key)


async def test_a_dedup_key_may_be_a_text_of_any_characters() -> None:
    async with Hephaestus():
        run = await Paying.start("1", {})

        await run.resume("paid", dedup_key="line\n" * 51)

        assert "completed" == (await run.wait(5)).status


async def test_a_misspelt_event_is_told_the_right_name() -> None:
    async with Hephaestus():
        run = await Paying.start("1", {})

        with pytest.raises(UnknownEvent, match="did you mean 'paid'"):
            await run.resume("payed")

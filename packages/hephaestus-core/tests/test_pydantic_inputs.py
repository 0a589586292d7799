"""Declared inputs that are pydantic models, which validate themselves."""

from datetime import UTC, datetime
from typing import Any

import pydantic
import pytest

from hephaestus import (
    Done,
    Hephaestus,
    InvalidArgument,
    StepContext,
    Workflow,
    step,
)
from hephaestus.testing import Harness

AT = datetime(2030, 1, 2, tzinfo=UTC)


class Address(pydantic.BaseModel):
    city: str


class Visit(pydantic.BaseModel):
    at: datetime
    address: Address
    guests: int = pydantic.Field(default=1, ge=1, alias="guestCount")


@step
async def look(ctx: StepContext) -> Any:
    return {"type": type(ctx.input).__name__, "guests": ctx.input.guests}


class Visiting(Workflow, unique="inputvisit", input=Visit):
    start_step = look
    transitions = {look: {"done": Done}}


@pytest.mark.parametrize(
    "initial",
    [
        {"at": AT.isoformat(), "address": {"city": "Ulm"}, "guestCount": 2},
        {"at": AT, "address": Address(city="Ulm"), "guestCount": 2},
        Visit(at=AT, address=Address(city="Ulm"), guestCount=2),
    ],
    ids=["mapping", "mixed", "instance"],
)
async def test_a_model_is_stored_as_plain_data_and_seen_as_a_model(initial: Any) -> None:
    instance = await Harness(Visiting).run(initial)

    assert {"type": "Visit", "guests": 2} == instance.result
    assert {"at": AT, "address": {"city": "Ulm"}, "guestCount": 2} == instance.context.initial


@pytest.mark.parametrize(
    "initial",
    [
        {"at": AT, "address": {"town": "secret"}},
        Visit.model_construct(at=AT, address=Address.model_construct(city=4711)),
    ],
    ids=["mapping", "instance"],
)
async def test_what_does_not_fit_is_refused_by_field_and_no_value_is_shown(initial: Any) -> None:
    async with Hephaestus():
        with pytest.raises(InvalidArgument, match=r"do not fit Visit: address\.city: ") as refused:
            await Visiting.start("1", initial)

    assert "secret" not in str(refused.value)
    assert "4711" not in str(refused.value)

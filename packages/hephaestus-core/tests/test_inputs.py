"""Declared inputs: what fits is stored as plain data, and steps see it as their type."""

import dataclasses
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Annotated, Any, ClassVar, TypedDict

import msgspec
import pytest

from hephaestus import (
    Choose,
    DefinitionError,
    Done,
    Fatal,
    Hephaestus,
    Instance,
    InvalidArgument,
    NotSerializable,
    Retry,
    Step,
    StepContext,
    Workflow,
    step,
)
from hephaestus.context import Context
from hephaestus.testing import Harness

AT = datetime(2030, 1, 2, tzinfo=UTC)
SEEN: list[Any] = []


class Item(msgspec.Struct):
    name: str
    price: Decimal
    pieces: Annotated[int, msgspec.Meta(ge=1)] = 1


class OrderInput(msgspec.Struct, kw_only=True):
    items: list[Item]
    at: datetime = AT
    tags: set[str] = set()


@dataclasses.dataclass
class Parcel:
    weight: float
    by_shelf: dict[int, str] = dataclasses.field(default_factory=dict)


class Letter(TypedDict):
    to: str


class Later(msgspec.Struct):
    """What `Letter` became in a later version of the code."""

    to: str
    stamp: int


@step
async def look(ctx: StepContext) -> None:
    SEEN.append(ctx.input)


@step(retry=Retry(1))
async def look_twice(ctx: StepContext) -> Any:
    ctx.input.items.clear()
    return {"same": ctx.input is ctx.input, "stored": ctx.initial}


class Graph:
    start_step = look
    transitions: ClassVar[Mapping[Any, Mapping[str, Any]]] = {look: {"done": Done}}


class Ordering(Graph, Workflow, unique="inputorder", input=OrderInput): ...


class Packing(Graph, Workflow, unique="inputparcel", input=Parcel): ...


class Writing(Graph, Workflow, unique="inputletter", input=Letter): ...


class Plain(Graph, Workflow, unique="inputplain"): ...


class Twice(Workflow, unique="inputtwice", input=OrderInput):
    start_step = look_twice
    transitions = {look_twice: {"done": Done}}


ITEM = {"name": "nail", "price": "0.10"}


@pytest.fixture(autouse=True)
def _nothing_seen() -> None:
    SEEN.clear()


@pytest.mark.parametrize(
    "initial",
    [
        {"items": [ITEM]},
        MappingProxyType({"items": [MappingProxyType(ITEM)]}),
        {"items": [Item("nail", Decimal("0.10"))], "at": AT.isoformat(), "tags": []},
        OrderInput(items=[Item("nail", Decimal("0.10"))]),
    ],
    ids=["mapping", "read-only", "mixed", "instance"],
)
async def test_whatever_it_is_given_as_a_step_sees_the_type_and_the_storage_plain_data(
    initial: Any,
) -> None:
    instance = await Harness(Ordering).run(initial)

    assert "completed" == instance.status
    assert [OrderInput(items=[Item("nail", Decimal("0.10"))])] == SEEN
    assert {
        "items": [{"name": "nail", "price": Decimal("0.10"), "pieces": 1}],
        "at": AT,
        "tags": [],
    } == instance.context.initial


@pytest.mark.parametrize(
    ("workflow", "initial", "seen"),
    [
        (Packing, Parcel(1.5, {7: "nails"}), Parcel(1.5, {7: "nails"})),
        (Packing, {"weight": 2}, Parcel(2.0)),
        (Writing, {"to": "you"}, {"to": "you"}),
    ],
    ids=["dataclass", "mapping", "TypedDict"],
)
async def test_dataclasses_and_typed_dicts_do_as_well(
    workflow: type[Workflow], initial: Any, seen: Any
) -> None:
    await Harness(workflow).run(initial)

    assert [seen] == SEEN


@pytest.mark.parametrize(
    ("initial", "complaint"),
    [
        (None, "missing required field `items`"),
        ({"items": [{"name": "nail"}]}, r"items\[0\]: Object missing required field `price`"),
        ({"items": [ITEM | {"pieces": "3"}]}, r"items\[0\].pieces: Expected `int`, got `str`"),
        ({"items": [ITEM | {"pieces": 0}]}, r"items\[0\].pieces: Expected `int` >= 1"),
        (OrderInput(items=[Item(3, Decimal(1))]), r"items\[0\].name"),  # type: ignore[arg-type]
        ([], "Expected `object`, got `array`"),
    ],
)
async def test_what_does_not_fit_is_refused_before_anything_is_stored(
    initial: Any, complaint: str
) -> None:
    async with Hephaestus() as app:
        with pytest.raises(InvalidArgument, match=complaint) as refused:
            await Ordering.start("1", initial)

        assert f"workflow {Ordering.name!r}" in str(refused.value)
        assert 0 == await app.count()


async def test_what_cannot_be_stored_is_refused() -> None:
    endless: dict[str, Any] = {"items": []}
    endless["items"].append(endless)

    async with Hephaestus():
        with pytest.raises(NotSerializable, match="type object is not supported"):
            await Ordering.start("1", {"items": [object()]})
        with pytest.raises(NotSerializable):
            await Ordering.start("1", endless)


async def test_the_input_is_decoded_once_and_the_stored_data_stay_as_they_are() -> None:
    instance = await Harness(Twice).run({"items": [ITEM]})

    assert instance.result is not None
    assert instance.result["same"]
    assert [] != instance.result["stored"]["items"] == instance.context.initial["items"]


async def test_without_a_declared_type_ctx_input_says_what_to_do() -> None:
    ctx = StepContext({"a": 1})

    with pytest.raises(InvalidArgument, match="add input= to the workflow"):
        _ = ctx.input


async def test_a_step_alone_is_tested_with_a_type() -> None:
    ctx = StepContext({"to": "you", "stamp": 2}, input=Later)

    assert Later("you", 2) == ctx.input


async def test_a_run_that_no_longer_fits_is_read_and_its_step_fails_for_good() -> None:
    ctx = StepContext({"to": "you"}, input=Later)

    with pytest.raises(Fatal, match=r"missing required field `stamp`.*has changed"):
        _ = ctx.input

    async with Hephaestus() as app:
        run = Instance(id="inputorder::1", workflow=Ordering.name, context=Context(initial={}))
        await app.storage.put(run)
        instance = await app.wait(run.run_id, 10)
        assert "failed" == instance.status
        assert instance.error is not None
        assert ("Fatal", 1) == (instance.error.type, instance.error.attempt)


async def test_a_choice_sees_the_input_too() -> None:
    def note(ctx: StepContext) -> Any:
        SEEN.append(ctx.input)
        return Done

    class Choosing(Workflow, unique="inputchoosing", input=Letter):
        start_step = look
        transitions = {look: {"done": Choose(note, [Done])}}

    await Harness(Choosing).run({"to": "you"})

    assert [{"to": "you"}, {"to": "you"}] == SEEN


def test_versions_take_the_type_of_their_umbrella_unless_they_have_their_own() -> None:
    class Umbrella(Workflow, unique="inputumbrella", current=2, input=Letter):
        class V1(Graph, Workflow, version=1, input=Parcel): ...

        class V2(Graph, Workflow, version=2): ...

    class Child(Umbrella.V1, unique="inputchild"): ...

    assert (Parcel, Letter, Parcel) == (Umbrella.V1.input, Umbrella.V2.input, Child.input)
    assert Plain.input is None


class Array(msgspec.Struct, array_like=True):
    a: int


@dataclasses.dataclass
class Unresolved:
    other: "Nowhere"  # type: ignore[name-defined]  # noqa: F821


@pytest.mark.parametrize(
    "kind", [int, Array, Unresolved, dict[str, int], Item("a", Decimal(1)), Step], ids=repr
)
def test_a_type_that_is_no_object_with_fields_is_refused_at_definition(kind: Any) -> None:
    with pytest.raises(DefinitionError, match="input= does not do"):

        class Wrong(Graph, Workflow, unique="inputwrong", input=kind): ...

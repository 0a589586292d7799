"""The codec: what comes back, and what is refused."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hephaestus.codec import FORMAT, MAX_BYTES, Codec
from hephaestus.context import Context
from hephaestus.errors import (
    InvalidArgument,
    NotSerializable,
    PayloadTooLarge,
)
from hephaestus.instance import ActiveStep, FinishedStep, Instance, StepError
from hephaestus.message import Body, CancelRequested, EventPosted, StepEnded
from hephaestus.outcome import Completed, Failed, Halt, Suspend

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=6)
scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts
    | st.binary(max_size=4)
    | st.uuids()
    | st.dates()
    | st.datetimes(timezones=st.none() | st.just(UTC))
    | st.timedeltas()
    | st.decimals(allow_nan=False, allow_infinity=False).filter(lambda number: number != 0)
)
keys = texts | st.sampled_from(["$", "$$", "a", "kind", "format"])
values = st.recursive(
    scalars | st.frozensets(scalars, max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(keys, inner, max_size=3)
    ),
    max_leaves=8,
)
mappings = st.dictionaries(keys, values, max_size=3)
routes = st.dictionaries(texts, st.none() | mappings, max_size=3)
times = st.datetimes(timezones=st.just(UTC))
halts = st.builds(Halt, mappings, st.none() | texts, st.none() | texts)
steps = st.builds(
    ActiveStep,
    state=st.sampled_from(["ready", "waiting", "halted"]),
    attempt=st.integers(1, 99),
    deadline=st.none() | times,
    dispatches=st.integers(0, 9),
    failures=st.integers(0, 9),
    losses=st.integers(0, 9),
    since=times,
    config=st.none() | mappings,
    answer=st.none() | mappings,
    halt=st.none() | halts,
)
finished_steps = st.builds(FinishedStep, event=st.none() | texts, routes=routes)
errors = st.builds(StepError, step=texts, type=texts, message=texts, attempt=st.integers(1, 9))
instances = st.builds(
    Instance,
    id=st.just("orderid::1"),
    workflow=st.just("shop.Orders"),
    active=st.dictionaries(texts, steps, max_size=2),
    finished=st.dictionaries(texts, finished_steps, max_size=2),
    stopped=st.dictionaries(texts, steps, max_size=1),
    runtime_metadata=mappings,
    telemetry_metadata=mappings,
    error=st.none() | errors,
    kept=st.integers(0, 9),
)
outcomes = st.one_of(
    st.builds(Completed, event=texts, data=mappings, metadata=mappings, routes=st.none() | routes),
    st.builds(Suspend, st.none() | st.timedeltas(timedelta(0), timedelta(days=9999))),
    halts,
    st.builds(Failed, type=texts, message=texts, fatal=st.booleans()),
)
bodies = st.one_of(
    st.builds(EventPosted, step=texts, event=texts, payload=mappings),
    st.builds(
        StepEnded,
        step=texts,
        attempt=st.integers(1, 99),
        outcome=outcomes,
        duration=st.floats(0, 1e6),
    ),
    st.just(CancelRequested()),
)

STATE_FIELDS = (
    "active", "finished", "stopped", "runtime_metadata", "telemetry_metadata", "error", "kept",
)  # fmt: skip


def through_jsonb(raw: bytes) -> bytes:
    """Rewrite JSON as PostgreSQL's jsonb does: keys in another order, numbers without exponents."""

    def number(text: str) -> msgspec.Raw:
        return msgspec.Raw(format(Decimal(text), "f").encode())

    parsed = json.loads(raw, parse_float=number)
    return msgspec.json.encode(parsed, order="sorted")


def exactly(value: Any) -> object:
    """Say `value` so that only what has the same types throughout is equal to it."""
    match value:
        case dict():
            return dict, {key: exactly(item) for key, item in value.items()}
        case list() | tuple():
            return type(value), tuple(exactly(item) for item in value)
        case frozenset():
            return frozenset, frozenset(exactly(item) for item in value)
        case datetime():
            return datetime, value.replace(tzinfo=None), value.utcoffset()
        case Decimal():
            return Decimal, str(value)
        case msgspec.Struct():
            return type(value), exactly(msgspec.structs.asdict(value))
    return type(value), value


def state_of(instance: Instance) -> dict[str, Any]:
    """Return the fields that a state holds."""
    return {name: getattr(instance, name) for name in STATE_FIELDS}


@given(value=mappings)
def test_user_data_come_back_in_value_and_type(value: dict[str, Any]) -> None:
    codec = Codec()

    raw = codec.dump(value)

    assert exactly(codec.load(raw)) == exactly(value)
    assert exactly(codec.load(through_jsonb(raw))) == exactly(value)


@given(instance=instances)
def test_a_state_comes_back_in_value_and_type(instance: Instance) -> None:
    codec = Codec()

    raw = codec.dump_state(instance)

    assert exactly(codec.load_state(raw)) == exactly(state_of(instance))
    assert exactly(codec.load_state(through_jsonb(raw))) == exactly(state_of(instance))


@given(body=bodies)
def test_a_body_comes_back_in_value_and_type(body: Body) -> None:
    codec = Codec()

    raw = codec.dump_body(body)

    assert exactly(codec.load_body(raw)) == exactly(body)
    assert exactly(codec.load_body(through_jsonb(raw))) == exactly(body)


def test_plain_json_stays_plain_json() -> None:
    value = {"total": 3, "price": 2.5, "lines": [{"sku": "a"}], "gift": None}

    raw = Codec().dump(value)

    assert json.loads(raw) == value


def test_a_state_leaves_out_columns_initial_data_and_results() -> None:
    instance = Instance(
        id="orderid::1",
        workflow="shop.Orders",
        tags=("gift",),
        context=Context(initial={"total": "secret"}, steps={"check": {"ok": "secret"}}),
    )

    raw = Codec().dump_state(instance)

    assert json.loads(raw) == {"format": FORMAT}


def test_a_state_that_lacks_fields_reads_as_if_they_were_empty() -> None:
    raw = b'{"format":1}'

    fields = Codec().load_state(raw)

    assert fields == state_of(Instance(id="orderid::1", workflow="shop.Orders"))


def test_fields_that_a_later_release_adds_to_the_format_are_passed_over() -> None:
    raw = b'{"format":1,"colour":"red","active":{"charge":{"since":"2026-07-01T00:00:00Z","x":1}}}'

    fields = Codec().load_state(raw)

    assert fields["active"] == {"charge": ActiveStep(since=datetime(2026, 7, 1, tzinfo=UTC))}


def test_a_state_of_a_later_format_is_refused() -> None:
    raw = msgspec.json.encode({"format": FORMAT + 1})

    with pytest.raises(ValueError, match=f"format is {FORMAT + 1}"):
        Codec().load_state(raw)


LOADERS: dict[str, Callable[[bytes], object]] = {
    "data": Codec().load,
    "state": Codec().load_state,
    "body": Codec().load_body,
}
each_loader = pytest.mark.parametrize("load", LOADERS.values(), ids=LOADERS)


@each_loader
@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"\xff",
        b"3",
        b"null",
        b"[]",
        b"[1]",
        b'"text"',
        b'{"$":["tuple",[1]]}',
        b'{"$":["set",[[1]]]}',
        b'{"$":["date","yesterday"]}',
        b'{"$":["os.system","true"]}',
        b'{"$":["hooked","!"]}',
        b'{"$":["hooked","e30="]}',
    ],
)
def test_bytes_of_something_else_are_a_value_error(
    load: Callable[[bytes], object], raw: bytes
) -> None:
    with pytest.raises(ValueError, match=r".+"):
        load(raw)


@each_loader
@given(
    raw=st.binary(max_size=20)
    | mappings.map(Codec().dump)
    | instances.map(Codec().dump_state)
    | bodies.map(Codec().dump_body),
    place=st.integers(0, 400),
    byte=st.binary(max_size=2),
)
def test_spoilt_bytes_are_read_or_a_value_error(
    load: Callable[[bytes], object], raw: bytes, place: int, byte: bytes
) -> None:
    spoilt = raw[:place] + byte + raw[place + 1 :]

    try:
        load(spoilt)
    except ValueError as error:
        refusal: ValueError | None = error
    else:
        refusal = None

    assert refusal is None or str(refusal)


@dataclass
class Order:
    total: int
    when: date


class Receipt(msgspec.Struct):
    number: UUID


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, {}),
        ({}, {}),
        ({"pair": (1, 2)}, {"pair": (1, 2)}),
        (Order(3, date(2026, 7, 1)), {"total": 3, "when": date(2026, 7, 1)}),
        (Receipt(UUID(int=1)), {"number": UUID(int=1)}),
    ],
)
def test_checked_data_are_what_will_be_read_back(value: object, expected: dict[str, Any]) -> None:
    checked = Codec().checked(value, "the initial data")

    assert exactly(checked) == exactly(expected)


def test_checked_data_are_not_shared_with_the_caller() -> None:
    value: dict[str, Any] = {"lines": [1]}
    checked = Codec().checked(value, "the initial data")

    value["lines"].append(2)

    assert checked == {"lines": [1]}


@pytest.mark.parametrize("value", [3, "text", [1], (1,), {1}, b"{}", object(), Order])
def test_data_that_are_no_mapping_are_refused(value: object) -> None:
    with pytest.raises(NotSerializable, match="not a mapping") as raised:
        Codec().checked(value, "the payload")

    assert raised.value.path == "the payload"


def test_data_that_cannot_be_stored_are_refused_with_their_path() -> None:
    value = {"lines": [{"sku": "a"}, {"sku": object()}]}

    with pytest.raises(NotSerializable) as raised:
        Codec().checked(value, "the payload")

    assert raised.value.path == "the payload['lines'][1]['sku']"


def test_data_may_take_as_many_bytes_as_the_limit() -> None:
    codec = Codec(max_bytes=20)

    fitting = codec.checked({"text": "x" * 9}, "the payload")

    assert len(codec.dump(fitting)) == 20
    with pytest.raises(PayloadTooLarge) as raised:
        codec.checked({"text": "x" * 10}, "the payload")
    assert (raised.value.path, raised.value.size, raised.value.limit) == ("the payload", 21, 20)


def test_the_limit_is_one_mebibyte_unless_it_is_set() -> None:
    codec = Codec()

    with pytest.raises(PayloadTooLarge) as raised:
        codec.checked({"text": "x" * MAX_BYTES}, "the payload")

    assert raised.value.limit == 1024 * 1024


@pytest.mark.parametrize("limit", [0, -1])
def test_a_limit_of_nothing_is_refused(limit: int) -> None:
    with pytest.raises(InvalidArgument, match="max_bytes"):
        Codec(max_bytes=limit)

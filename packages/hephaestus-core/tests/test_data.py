"""User data as JSON: what comes back, what is refused, and where."""

import json
import sys
from collections import namedtuple
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from decimal import Decimal
from enum import Enum, IntEnum, IntFlag, StrEnum
from types import MappingProxyType
from typing import Any, ClassVar, cast
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hephaestus import data
from hephaestus.errors import NotSerializable

NAIVE = datetime.fromisoformat("2026-07-01T03:04:05")
UNHASHABLE = "an element would come back as a list, dict or set"


Colour = Enum("Colour", {"RED": "red", "PAIR": (1, 2), "NONE": frozenset()})
Level = IntEnum("Level", {"HIGH": 3})
Mode = StrEnum("Mode", {"FAST": "fast"})
Right = IntFlag("Right", ["READ", "WRITE"])
Pair = namedtuple("Pair", ["left", "right"])
Count = type("Count", (int,), {})
Ratio = type("Ratio", (float,), {})


class Summer(tzinfo):
    def utcoffset(self, moment: datetime | None) -> timedelta | None:
        return None if moment is None else timedelta(hours=2 if 4 <= moment.month < 10 else 1)

    def dst(self, moment: datetime | None) -> None: ...

    def tzname(self, moment: datetime | None) -> None: ...


class Name(str):
    __slots__ = ()

    def __str__(self) -> str:
        return "not the text"


class Row(dict[str, object]):
    def __hash__(self) -> int:  # type: ignore[override]  # what a user's class may do
        return 1


class Stamp(datetime):
    def isoformat(self, sep: str = "T", timespec: str = "auto") -> str:
        return "not ISO 8601"


@dataclass(frozen=True)
class Item:
    kind: ClassVar[str] = "item"
    sku: object
    price: object = None
    never_set: str = field(init=False, repr=False, compare=False)


class Order(msgspec.Struct):
    items: list[object]
    remark: str | msgspec.UnsetType = msgspec.UNSET


# In whole seconds, since Python reads an offset that is shorter than one as UTC.
offsets = st.integers(-86399, 86399).map(lambda seconds: timezone(timedelta(seconds=seconds)))
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)
keys = texts | st.text("$", max_size=3) | st.sampled_from(["a", "$ref", "\\u0024"])
floats = st.floats(allow_nan=False, allow_infinity=False)
digits = st.lists(st.integers(0, 9), min_size=1, max_size=40).map(tuple)
scalars = st.one_of(
    st.none() | st.booleans() | st.integers() | floats | texts | st.binary(max_size=9) | st.uuids(),
    floats.map(round).map(float),
    st.integers(0, 700).map(lambda power: (-10) ** power),
    st.tuples(st.integers(0, 1), digits, st.integers(-5000, 5000)).map(Decimal),
    st.datetimes() | st.datetimes(timezones=offsets) | st.times() | st.times(timezones=offsets),
    st.dates() | st.timedeltas(),
)
hashables = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3).map(tuple) | st.frozensets(inner, max_size=3),
    max_leaves=5,
)
values = st.recursive(
    hashables | st.sets(hashables, max_size=4),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=4).map(tuple)
        | st.dictionaries(keys, inner, max_size=4)
    ),
    max_leaves=20,
)


def shape(value: Any) -> object:
    """Say `value` so that only what has the same types and digits throughout is equal."""
    match value:
        case dict():
            return dict, {key: shape(item) for key, item in value.items()}
        case list() | tuple():
            return type(value), tuple(shape(item) for item in value)
        case set() | frozenset():
            return type(value), frozenset(shape(item) for item in value)
        case datetime() | time():
            return type(value), value.replace(tzinfo=None), value.utcoffset()
        case Decimal():
            return Decimal, str(value)
    return type(value), value


def through_jsonb(raw: bytes) -> bytes:
    """Rewrite JSON as PostgreSQL's jsonb does: keys in its order, numbers without exponents."""

    def number(text: str) -> msgspec.Raw:
        return msgspec.Raw(format(Decimal(text) or abs(Decimal(text)), "f").encode())

    def ordered(pairs: list[tuple[str, object]]) -> dict[str, object]:
        return dict(sorted(pairs, key=lambda pair: (len(pair[0].encode()), pair[0].encode())))

    parsed = json.loads(raw, parse_int=number, parse_float=number, object_pairs_hook=ordered)
    return msgspec.json.encode(parsed)


def containers(value: Any) -> Iterator[int]:
    """Give the id of every mutable container in `value`."""
    if isinstance(value, dict | list | set):
        yield id(value)
    if isinstance(value, dict | list | tuple):
        for item in value.values() if isinstance(value, dict) else value:
            yield from containers(item)


def nested(levels: int, wrap: Callable[[Any], object]) -> Any:
    value: object = 0
    for _ in range(levels):
        value = wrap(value)
    return value


class TestRoundTrip:
    @given(values)
    def test_everything_comes_back_as_it_was(self, value: object) -> None:
        raw = data.dumps(value)

        assert shape(value) == shape(data.loads(raw))
        assert shape(value) == shape(data.decode(msgspec.json.decode(raw)))
        assert shape(value) == shape(data.loads(through_jsonb(raw)))

    @given(values)
    def test_normal_data_and_copies_are_equal_and_share_no_container(self, value: object) -> None:
        normal = data.normalise(value)
        copy = data.copied(normal)

        assert shape(value) == shape(normal) == shape(copy)
        assert data.dumps(value) == data.dumps(normal) == data.dumps(copy)
        assert set(containers(value)).isdisjoint(containers(normal))
        assert set(containers(normal)).isdisjoint(containers(copy))

    def test_an_aware_datetime_keeps_its_offset_and_a_naive_one_stays_naive(self) -> None:
        aware, naive = data.normalise([NAIVE.replace(tzinfo=Summer()), NAIVE])

        assert shape(NAIVE.replace(tzinfo=timezone(timedelta(hours=2)))) == shape(aware)
        assert shape(NAIVE) == shape(naive)

    @pytest.mark.parametrize(
        ("value", "read"),
        [
            (Colour.RED, "red"),
            (Colour.PAIR, (1, 2)),
            ([Level.HIGH, Mode.FAST, Right.READ | Right.WRITE], [3, "fast", 3]),
            ({Mode.FAST: Name("x"), Name("y"): 1}, {"fast": "x", "y": 1}),
            ([Count(3), Ratio(0.5), Ratio(1e30), Count(10**700)], [3, 0.5, 1e30, 10**700]),
            (Row(a=Row()), {"a": {}}),
            (Pair(1, 2), (1, 2)),
            (
                {Pair(1, Mode.FAST), Colour.RED, "red", Colour.NONE},
                {(1, "fast"), "red", frozenset()},
            ),
            (Stamp.fromisoformat(NAIVE.isoformat()), NAIVE),
            (MappingProxyType({"a": Item("s", (1,))}), {"a": {"sku": "s", "price": (1,)}}),
            (Order([Item("s")]), {"items": [{"sku": "s", "price": None}]}),
            (Order([], remark="x"), {"items": [], "remark": "x"}),
        ],
    )
    def test_what_extends_a_type_comes_back_as_that_type(self, value: object, read: object) -> None:
        assert shape(read) == shape(data.loads(data.dumps(value)))
        assert shape(read) == shape(data.normalise(value))


class TestForm:
    def test_plain_json_stays_plain_json(self) -> None:
        value = {"amount": 30, "": None, "naïve key": [True, 1.5, -2, 2**64, "ü😀", [], {}]}

        assert value == data.encode(value) == data.loads(data.dumps(value))

    @pytest.mark.parametrize(
        ("value", "raw"),
        [
            (NAIVE, '["datetime","2026-07-01T03:04:05"]'),
            (NAIVE.replace(tzinfo=Summer()), '["datetime","2026-07-01T03:04:05+02:00"]'),
            (date(2026, 1, 2), '["date","2026-01-02"]'),
            (time(3, 4, tzinfo=UTC), '["time","03:04:00+00:00"]'),
            (timedelta(days=-1, microseconds=1), '["timedelta",-86399999999]'),
            (UUID(int=1), '["uuid","00000000-0000-0000-0000-000000000001"]'),
            (Decimal("-1.50E+9"), '["decimal","-1.50E+9"]'),
            (b"\0\xff", '["bytes","AP8="]'),
            ((1, (2,)), '["tuple",[1,{"$":["tuple",[2]]}]]'),
            ({"b", "a", 10, 9}, '["set",["a","b",10,9]]'),
            (frozenset({2, 1}), '["frozenset",[1,2]]'),
            (-(16**1000), f'["int","-1{"0" * 1000}"]'),
        ],
    )
    def test_a_tag_is_an_object_whose_only_key_is_a_dollar(self, value: object, raw: str) -> None:
        assert f'{{"$":{raw}}}' == data.dumps(value).decode()

    @pytest.mark.parametrize(
        ("value", "encoded"),
        [
            ({"$": ["set", [1]]}, {"$$": ["set", [1]]}),
            ({"$": ["set", [1]], "b": 2}, {"$$": ["set", [1]], "b": 2}),
            ({"$": 1, "$$": {"$": 2}}, {"$$": 1, "$$$": {"$$": 2}}),
            ({"$ref": 1, "a$": {"$a": "$"}}, {"$ref": 1, "a$": {"$a": "$"}}),
        ],
    )
    def test_a_key_of_dollars_alone_is_escaped(self, value: object, encoded: object) -> None:
        assert encoded == data.encode(value)
        assert value == data.loads(data.dumps(value)) == data.normalise(value)

    def test_a_large_float_is_written_with_a_fraction(self) -> None:
        numbers = [9999999999999998.0, 1e16, -1e23, sys.float_info.max]

        raw = data.dumps(numbers).decode()

        plain = "9999999999999998.0,10000000000000000.0,-99999999999999991611392.0"
        assert f"[{plain},{sys.float_info.max:.1f}]" == raw

    def test_integers_are_read_even_where_python_reads_the_fewest_digits(self) -> None:
        numbers = [10**639, 2**2126 - 1, 2**2126, 10**640, -(10**5000)]
        raw = data.dumps(numbers)
        limit = sys.get_int_max_str_digits()

        sys.set_int_max_str_digits(sys.int_info.str_digits_check_threshold)
        try:
            read = data.loads(raw)
        finally:
            sys.set_int_max_str_digits(limit)

        assert numbers == read


class TestRefusal:
    @pytest.mark.parametrize(
        ("value", "path", "reason"),
        [
            (float("nan"), "data", "nan is not a finite number"),
            ({"a": [1, float("inf")]}, "data['a'][1]", "inf is not a finite number"),
            ([Ratio("-inf")], "data[0]", "-inf is not a finite number"),
            ({"a": (Decimal("sNaN"),)}, "data['a'][0]", "sNaN is not a finite number"),
            ([Decimal("Infinity")], "data[0]", "Infinity is not a finite number"),
            ({"a": "\0"}, "data['a']", "the text holds a NUL character"),
            ({"it's": "\ud800"}, 'data["it\'s"]', "the text holds a lone surrogate"),
            ({"a": {"b\0": 1}}, r"data['a']['b\x00']", "the key holds a NUL character"),
            ([{"\udfff": 1}], r"data[0]['\udfff']", "the key holds a lone surrogate"),
            ({"a": {1: 2}}, "data['a'][1]", "keys must be str, not int"),
            ([{b"b": 1}], "data[0][b'b']", "keys must be str, not bytes"),
            ({"a": [0, 0, 0, Item(object())]}, "data['a'][3].sku", "type object is not"),
            (Order([{1.5, (1j,)}]), "data.items[0]{…}[0]", "type complex is not supported"),
            ([Item], "data[0]", "type type is not supported; convert it to JSON values, dates"),
            (bytearray(b"x"), "data", "type bytearray is not supported"),
            ({"a": Summer()}, "data['a']", f"type {__name__}.Summer is not supported"),
            ([{Item("s")}], "data[0]", UNHASHABLE),
            ({(1, Row())}, "data", UNHASHABLE),
        ],
    )
    def test_it_names_the_path_and_the_reason(self, value: object, path: str, reason: str) -> None:
        for call in (data.encode, data.dumps, data.normalise):
            with pytest.raises(NotSerializable) as caught:
                call(value)

            assert path == caught.value.path
            assert caught.value.reason.startswith(reason)

    def test_the_path_starts_where_the_caller_says(self) -> None:
        with pytest.raises(NotSerializable, match=r"^initial\['a'\] cannot be stored: nan is not"):
            data.encode({"a": float("nan")}, "initial")

    def test_a_cycle_is_named_where_it_closes(self) -> None:
        inner: dict[str, object] = {"x": 1}
        inner["again"] = [0, inner]

        with pytest.raises(NotSerializable) as caught:
            data.encode({"a": inner})

        assert "data['a']['again'][1]" == caught.value.path
        assert "it is data['a'] again, a cycle" == caught.value.reason

    def test_a_cycle_may_pass_through_records_and_tuples(self) -> None:
        order = Order([])
        order.items.append((Item(order),))

        with pytest.raises(NotSerializable) as caught:
            data.encode(order)

        assert "data.items[0][0].sku" == caught.value.path
        assert "it is data again, a cycle" == caught.value.reason
        assert [[1], [1]] == data.normalise([[1]] * 2)

    @pytest.mark.parametrize("kind", ["list", "tuple", "dict", "dataclass", "frozenset"])
    def test_a_hundred_levels_are_stored_and_one_more_is_refused(self, kind: str) -> None:
        wrap, segment = {
            "list": (lambda value: [value], "[0]"),
            "tuple": (lambda value: (value,), "[0]"),
            "dict": (lambda value: {"a": value}, "['a']"),
            "dataclass": (Item, ".sku"),
            "frozenset": (lambda value: frozenset({value}), "{…}"),
        }[kind]

        raw = data.dumps(nested(100, cast("Callable[[Any], object]", wrap)))

        assert raw == data.dumps(data.loads(raw))
        with pytest.raises(NotSerializable) as caught:
            data.dumps(nested(101, cast("Callable[[Any], object]", wrap)))
        assert "data" + segment * 100 == caught.value.path
        assert "it lies more than 100 levels deep" == caught.value.reason


class TestReading:
    @pytest.mark.parametrize(
        "raw",
        [
            *("null", "1", "{}", "[]", '["set"]', '["set", [], 1]', '[["set"], []]'),
            *('["eval", "1 + 1"]', '["os.system", "true"]', '["SET", []]', '["", ""]'),
            *('["set", "ab"]', '["set", [[1]]]', '["frozenset", [{}]]', '["tuple", {"a": 1}]'),
            *('["datetime", 5]', '["datetime", "yesterday"]', '["date", "2026-02-30"]'),
            *('["time", "25:00"]', '["tuple", [{"$": ["date", "x"]}]]'),
            *('["timedelta", "1"]', '["timedelta", 1.5]', '["timedelta", true]'),
            f'["timedelta", {10**25}]',
            *('["uuid", 5]', '["uuid", "x"]', '["decimal", "x"]', '["decimal", "NaN"]'),
            *('["bytes", "?"]', '["bytes", "ü"]', '["int", "xyz"]', '["int", 1]'),
            '["set", []], "another key": 1',
        ],
    )
    def test_an_unknown_or_malformed_tag_is_a_value_error(self, raw: str) -> None:
        with pytest.raises(ValueError, match="malformed tag"):
            data.loads(f'{{"a": [{{"\\u0024": {raw}}}]}}'.encode())

    @pytest.mark.parametrize("raw", [b"", b"{", b"NaN", b"\xff", b'"\xed\xa0\x80"', b'"\\ud800"'])
    def test_what_is_not_json_is_a_value_error(self, raw: bytes) -> None:
        with pytest.raises(ValueError, match=r".+"):
            data.loads(raw)


class TestAsMapping:
    def test_a_mapping_is_itself(self) -> None:
        mapping = MappingProxyType({"a": 1})

        assert mapping is data.as_mapping(mapping)

    def test_a_record_becomes_a_dict_of_its_fields_and_no_deeper(self) -> None:
        inner = Item("s")

        assert {"items": [inner]} == data.as_mapping(Order([inner]))
        assert {"sku": inner, "price": None} == data.as_mapping(Item(inner))

    @pytest.mark.parametrize("value", [None, 1, "a", [("a", 1)], Item, Order, Pair(1, 2)])
    def test_anything_else_is_none(self, value: object) -> None:
        assert data.as_mapping(value) is None


class TestCheckPlain:
    def test_plain_json_is_accepted(self) -> None:
        data.check_plain({"a": [{"b": [None, 2.5, True, "text"]}, 10**20], "$": 1e300}, "metadata")

    @pytest.mark.parametrize(
        ("value", "path"),
        [
            ((1, 2), "metadata"),
            ({"a": [1, {2}]}, "metadata['a'][1]"),
            ({"a": {"b": NAIVE}}, "metadata['a']['b']"),
            ([Decimal(1)], "metadata[0]"),
            ([Colour.RED], "metadata[0]"),
            ([b"x"], "metadata[0]"),
            ([Item("s")], "metadata[0]"),
            ({"a": {1: 2}}, "metadata['a'][1]"),
            ({"a": float("nan")}, "metadata['a']"),
            ({"a": "\0"}, "metadata['a']"),
            (nested(101, lambda value: [value]), "metadata" + "[0]" * 100),
        ],
    )
    def test_anything_else_is_refused_at_any_depth(self, value: object, path: str) -> None:
        with pytest.raises(NotSerializable) as caught:
            data.check_plain(value, "metadata")

        assert path == caught.value.path

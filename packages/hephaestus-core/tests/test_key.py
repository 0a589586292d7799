"""Business keys, what they are unique among, and run ids."""

import os
import re
import subprocess
import sys
import textwrap
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hephaestus.errors import InvalidArgument
from hephaestus.key import (
    Scope,
    Unique,
    business_value,
    checked_id,
    compose_id,
    is_run_id,
    new_run_id,
    unique_key,
)

ORDER = Unique("orderid")
A_UUID = "0f8fad5b-d9cb-469f-a165-70867728950e"
A_RUN_ID = "01980000-0000-7000-8000-000000000001"
SCOPES: list[Scope] = ["workflow", "version", "global", "none"]


def test_a_key_is_unique_per_workflow_unless_it_says_otherwise() -> None:
    assert Unique("orderid", scope="workflow") == ORDER


@pytest.mark.parametrize(
    "key", ["", "Order", "order_id", "order-id", "order id", "orderid\n", "é", None, 5, ["a"]]
)
def test_a_key_is_lower_case_letters_and_digits(key: Any) -> None:
    with pytest.raises(InvalidArgument, match="unique key"):
        Unique(key)


@pytest.mark.parametrize("scope", ["", "Workflow", "instance", None, 5, ["none"]])
def test_only_four_scopes_exist(scope: Any) -> None:
    with pytest.raises(InvalidArgument, match="scope must be one of workflow, version, global"):
        Unique("orderid", scope=scope)


@pytest.mark.parametrize("value", ["42", "abc123", "a", "0" * 100, A_UUID])
def test_an_id_is_the_key_and_the_value(value: str) -> None:
    assert f"orderid::{value}" == compose_id(ORDER, value)


@pytest.mark.parametrize(
    ("value", "way_out"),
    [
        (5, "got 5; give it as text, '5'"),
        (UUID(A_UUID), f"; give it as text, '{A_UUID}'"),
        ("orderid::5", "got 'orderid::5'; give only what follows '::', '5'"),
        ("ABC", "got 'ABC'"),
        (True, "got True"),
        (None, "got None"),
    ],
)
def test_a_value_that_is_nearly_right_is_told_the_way_out(value: Any, way_out: str) -> None:
    with pytest.raises(InvalidArgument, match=f"{re.escape(way_out)}$"):
        compose_id(ORDER, value)


@pytest.mark.parametrize(
    "value",
    [
        "",
        "ABC",
        "a-b",
        "a_b",
        "a::b",
        "a b",
        "42\n",
        "é",
        "²",
        A_UUID.upper(),
        A_UUID + "\n",
        A_UUID[:-1],
        f"{{{A_UUID}}}",
        42,
        None,
        UUID(A_UUID),
        b"43",
    ],
)
def test_a_value_is_lower_case_letters_and_digits_or_a_uuid(value: Any) -> None:
    with pytest.raises(InvalidArgument, match="the value of 'orderid' must be"):
        compose_id(ORDER, value)


def test_an_id_that_is_not_unique_ends_in_eight_random_digits() -> None:
    ids = {compose_id(Unique("job", scope="none"), "42") for _ in range(50)}

    assert 50 == len(ids)
    assert all(re.fullmatch(r"job::42::[0-9a-f]{8}", id) for id in ids)


@given(
    value=st.from_regex(r"[a-z0-9]{1,20}", fullmatch=True) | st.uuids().map(str),
    scope=st.sampled_from(SCOPES),
)
def test_the_value_can_be_read_back_from_an_id(value: str, scope: Scope) -> None:
    assert value == business_value(compose_id(Unique("k9", scope=scope), value))


@pytest.mark.parametrize(
    "id",
    [
        "",
        "42",
        "::42",
        "orderid::",
        "orderid:42",
        "orderid::42::",
        "orderid::42::xyz",
        "orderid::42::0123456",
        "orderid::42::01234567::8",
        "orderid::42\n",
        None,
        43,
    ],
)
def test_no_value_is_read_from_what_is_no_id(id: Any) -> None:
    with pytest.raises(InvalidArgument, match="is no id of the form"):
        business_value(id)


@pytest.mark.parametrize("id", ["orderid::42", "job::42::01234567", "order no. 42", "é", "x" * 255])
def test_a_run_may_be_started_under_any_printable_id(id: str) -> None:
    assert id == checked_id(id)


@pytest.mark.parametrize(
    "id", ["", None, 5, "x" * 256, "a\0b", "a\n", "\ud800", A_RUN_ID], ids=ascii
)
def test_what_no_storage_could_keep_or_find_is_no_id(id: Any) -> None:
    with pytest.raises(InvalidArgument, match="an id is a"):
        checked_id(id)


def taken(scope: Scope, id: str = "k::1", family: str = "shop.Order", version: int = 1) -> Any:
    return unique_key(Unique("k", scope=scope), id, family, version)


def test_scope_workflow_tells_workflows_apart_but_not_versions() -> None:
    assert taken("workflow") == taken("workflow", version=2)
    assert taken("workflow") != taken("workflow", family="shop.Return")
    assert taken("workflow") != taken("workflow", id="k::2")


def test_scope_version_tells_versions_apart() -> None:
    assert taken("version") == taken("version")
    assert taken("version") != taken("version", version=2)
    assert taken("version") != taken("version", family="shop.Return")


def test_scope_global_tells_only_ids_apart() -> None:
    assert taken("global") == taken("global", family="shop.Return", version=2)
    assert taken("global") != taken("global", id="k::2")


def test_scope_none_takes_nothing() -> None:
    assert taken("none") is None


@given(
    first=st.tuples(st.sampled_from(SCOPES), st.text(), st.text("ab.1"), st.integers(1, 30)),
    second=st.tuples(st.sampled_from(SCOPES), st.text(), st.text("ab.1"), st.integers(1, 30)),
)
def test_different_keys_never_look_the_same(
    first: tuple[Scope, str, str, int], second: tuple[Scope, str, str, int]
) -> None:
    def what_counts(scope: Scope, id: str, family: str, version: int) -> Any:
        parts = {"workflow": (id, family), "version": (id, family, version), "global": (id,)}
        return (scope, parts.get(scope))

    if first[0] != "none" and what_counts(*first) != what_counts(*second):
        assert taken(*first) != taken(*second)


def test_a_run_id_is_a_uuid_of_version_7_made_now() -> None:
    before = time.time_ns() // 1_000_000

    run_id = UUID(new_run_id())

    # Ids of the same millisecond may borrow from the next.
    assert before <= run_id.int >> 80 <= time.time_ns() // 1_000_000 + 1
    assert (7, "specified in RFC 4122") == (run_id.version, run_id.variant)


def test_run_ids_sort_in_the_order_in_which_they_are_made() -> None:
    ids = [new_run_id() for _ in range(10_000)]

    assert sorted(set(ids)) == ids


def test_run_ids_stay_in_order_when_the_clock_is_set_back(monkeypatch: pytest.MonkeyPatch) -> None:
    early = new_run_id()
    monkeypatch.setattr(time, "time_ns", lambda: 0)

    late = new_run_id()

    assert early < late


def test_threads_never_make_the_same_run_id() -> None:
    with ThreadPoolExecutor(8) as pool:
        made = pool.map(lambda _: [new_run_id() for _ in range(500)], range(16))
        ids = [id for batch in made for id in batch]

    assert 16 * 500 == len(set(ids))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
def test_a_forked_child_makes_other_run_ids() -> None:
    # In a process of its own: this one has threads, and forking those warns.
    program = textwrap.dedent("""
        import os
        from hephaestus import key

        key.new_run_id()
        lock = key._run_ids._lock
        lock.acquire()
        reading, writing = os.pipe()
        if os.fork() == 0:
            os.write(writing, "".join(key.new_run_id() for _ in range(99)).encode())
            os._exit(0)
        lock.release()
        own = {key.new_run_id() for _ in range(99)}
        os.wait()
        text = os.read(reading, 36 * 99).decode()
        others = {text[n:n + 36] for n in range(0, len(text), 36)}
        print(len(own | others))
    """)

    printed = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=30, check=True
    ).stdout

    assert "198" == printed.strip()


def test_a_run_id_is_told_from_everything_else() -> None:
    run_id = new_run_id()

    assert is_run_id(run_id)
    for other in (run_id.upper(), run_id + "\n", str(uuid4()), "orderid::42", ""):
        assert not is_run_id(other)

"""Filters: what a caller may say, and what storages are told."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import msgspec
import pytest

from hephaestus import registry
from hephaestus.errors import InvalidArgument, NotSerializable, UnknownFilter
from hephaestus.instance import STATUSES, TERMINAL
from hephaestus.steps import Done
from hephaestus.storage import Filters
from hephaestus.workflow import Workflow

NOW = datetime(2026, 7, 1, tzinfo=UTC)


@pytest.fixture
def umbrella() -> Iterator[type[Workflow]]:
    class Parcels(Workflow, unique="parcelid", current=1):
        class V1(Workflow, version=1):
            start_step = Done

    yield Parcels
    registry.unregister(Parcels)
    registry.unregister(Parcels.versions[1])


def test_several_statuses_are_told_their_filter() -> None:
    with pytest.raises(InvalidArgument, match=r"not \['failed'\]; for several use status_in=$"):
        Filters.parse({"status": ["failed"]})


def test_no_filter_selects_everything_newest_first() -> None:
    filters = Filters.parse({})

    assert filters == Filters()
    assert (filters.families, filters.order, filters.limit) == ((), "newest", None)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("id", "orderid::1"),
        ("run_id", "01980000-0000-7000-8000-000000000001"),
        *(("status", status) for status in STATUSES),
        ("workflow", "shop.Orders"),
        ("workflow_version", 3),
        ("created_after", NOW),
        ("created_before", NOW),
        ("updated_after", NOW),
        ("updated_before", NOW.astimezone(timezone(timedelta(hours=5, minutes=30)))),
        ("tag", "gift"),
        ("context", {"initial": {"total": 3}, "steps": {}}),
        ("limit", 0),
        ("limit", 10),
        ("order", "newest"),
        ("order", "oldest"),
        ("after", "01980000-0000-7000-8000-000000000001"),
    ],
)
def test_a_filter_says_what_it_was_given(name: str, value: object) -> None:
    filters = Filters.parse({name: value})

    assert filters == msgspec.structs.replace(Filters(), **{name: value})


@pytest.mark.parametrize("value", [["failed"], ("failed",), {"failed"}, frozenset({"failed"})])
def test_statuses_come_in_any_collection(value: object) -> None:
    filters = Filters.parse({"status_in": value})

    assert filters.status_in == ("failed",)


def test_no_status_at_all_is_not_the_same_as_no_filter() -> None:
    filters = Filters.parse({"status_in": TERMINAL - TERMINAL})

    assert filters.status_in == ()


@pytest.mark.parametrize("name", ["limit", "after"])
def test_no_limit_and_no_cursor_may_be_said(name: str) -> None:
    filters = Filters.parse({name: None})

    assert filters == Filters()


def test_a_family_is_a_prefix_as_it_stands() -> None:
    filters = Filters.parse({"workflow_family": r"shop.50%_\*"})

    assert filters.families == (r"shop.50%_\*",)


def test_a_class_means_its_name(umbrella: type[Workflow]) -> None:
    version = umbrella.versions[1]

    filters = Filters.parse({"workflow": version})

    assert filters == Filters(workflow=version.name)


def test_an_umbrella_means_itself_and_its_versions(umbrella: type[Workflow]) -> None:
    by_class = Filters.parse({"workflow": umbrella})
    by_name = Filters.parse({"workflow": umbrella.name})

    assert by_class == by_name == Filters(umbrella=umbrella.name)


def test_an_umbrella_and_a_family_must_both_fit(umbrella: type[Workflow]) -> None:
    filters = Filters.parse({"workflow": umbrella, "workflow_family": "shop."})

    assert filters == Filters(umbrella=umbrella.name, families=("shop.",))


def test_a_name_that_this_process_does_not_know_means_itself() -> None:
    filters = Filters.parse({"workflow": "shop.Parcels"})

    assert filters == Filters(workflow="shop.Parcels")


def test_a_context_is_taken_as_it_would_be_read_back() -> None:
    @dataclass
    class Order:
        total: int

    given: dict[str, Any] = {"initial": {"order": Order(3), "sizes": [1]}}

    filters = Filters.parse({"context": given})
    given["initial"]["sizes"].append(2)

    assert filters.context == {"initial": {"order": {"total": 3}, "sizes": [1]}}


def test_what_a_context_cannot_hold_is_named_with_its_path() -> None:
    with pytest.raises(NotSerializable) as raised:
        Filters.parse({"context": {"initial": {"lines": [float("nan")]}}})

    assert raised.value.path == "context=['initial']['lines'][0]"


@pytest.mark.parametrize("name", ["id", "run_id", "workflow", "workflow_family", "tag", "after"])
@pytest.mark.parametrize("text", ["a\x00b", "\ud800"])
def test_a_text_that_no_storage_can_hold_is_refused(name: str, text: str) -> None:
    with pytest.raises(InvalidArgument, match=f"{name}="):
        Filters.parse({name: text})


def test_an_unknown_filter_is_refused_with_all_that_there_are() -> None:
    with pytest.raises(UnknownFilter) as raised:
        Filters.parse({"state": "running"})

    assert raised.value.name == "state"
    assert {"id", "status", "status_in", "workflow_family", "after"} < set(raised.value.known)


def test_a_wrong_value_is_shown() -> None:
    with pytest.raises(InvalidArgument, match=r"status= takes one of pending, .*, not 'done'"):
        Filters.parse({"status": "done"})


def test_of_several_filters_each_is_checked() -> None:
    with pytest.raises(InvalidArgument, match="limit="):
        Filters.parse({"status": "running", "limit": -1})

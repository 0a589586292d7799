"""What the filters of `query` and `count` select."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from hephaestus.errors import InvalidArgument, UnknownFilter
from hephaestus.instance import STATUSES, TERMINAL, Instance
from hephaestus.storage import Storage
from hephaestus.testing.storage.samples import (
    NOW,
    SECOND,
    commit,
    entry,
    finished_run,
    moved,
    new_run,
    store,
)
from hephaestus.workflow import Workflow

EARLIER, LATER = NOW - SECOND, NOW + SECOND
NAIVE = datetime(2026, 7, 1)  # noqa: DTZ001  # a filter refuses it

WRONG_VALUES: list[tuple[str, object]] = [
    ("id", 1),
    ("id", "orderid::\x00"),
    ("run_id", b"orderid::1"),
    ("status", "done"),
    ("status", 3),
    ("status", ["running"]),
    ("status_in", "running"),
    ("status_in", ["running", "done"]),
    ("status_in", {"running": True}),
    ("workflow", 1),
    ("workflow", Workflow),
    ("workflow", Instance),
    ("workflow", ["shop.Orders"]),
    ("workflow_version", "1"),
    ("workflow_version", 0),
    ("workflow_version", 1.0),
    ("workflow_version", True),
    ("workflow_family", 1),
    ("created_after", NAIVE),
    ("created_before", "2026-07-01"),
    ("updated_after", NAIVE.date()),
    ("updated_before", 0),
    ("tag", ["orders"]),
    ("context", {"total": 3}),
    ("context", [("initial", {})]),
    ("context", {"initial": {"total": float("nan")}}),
    ("context", {"initial": {"total": object()}}),
    ("limit", -1),
    ("limit", "3"),
    ("limit", True),
    ("order", "up"),
    ("order", 1),
    ("after", 1),
]


class Filtering:
    """Clauses about one filter at a time, and about all together."""

    async def test_without_filters_every_run_passes(self, storage: Storage) -> None:
        runs = [await store(storage, new_run(f"orderid::{n}", status=s)) for n, s in _statuses()]

        found = await storage.query()

        assert {run.run_id for run in found} == {run.run_id for run in runs}

    async def test_a_query_of_an_empty_storage_is_empty(self, storage: Storage) -> None:
        found = await storage.query()

        assert (found, await storage.count()) == ([], 0)

    async def test_runs_come_as_they_are_stored_without_their_history(
        self, storage: Storage
    ) -> None:
        run = new_run(initial={"total": 3}, tags=("orders",))
        await store(storage, run, entries=(entry(run.run_id),))

        found = await storage.query()

        assert found == [run]

    @pytest.mark.parametrize(
        ("filters", "expected"),
        [
            ({"id": "orderid::1"}, "ab"),
            ({"id": "orderid::"}, ""),
            ({"status": "running"}, "ad"),
            ({"status": "cancelled"}, ""),
            ({"status_in": ["running", "halted"]}, "acd"),
            ({"status_in": {"running", "cancelled"}}, "ad"),
            ({"status_in": TERMINAL}, "b"),
            ({"status_in": []}, ""),
            ({"status_in": ()}, ""),
            ({"workflow": "shop.Orders"}, "ad"),
            ({"workflow": "shop.Order"}, ""),
            ({"workflow": "shop.orders"}, ""),
            ({"workflow": "shop.Absent"}, ""),
            ({"workflow_version": 1}, "abc"),
            ({"workflow_version": 7}, "d"),
            ({"workflow_family": "shop."}, "abd"),
            ({"workflow_family": "shop.O"}, "ad"),
            ({"workflow_family": ""}, "abcd"),
            ({"created_after": NOW}, "d"),
            ({"created_before": NOW}, "a"),
            ({"updated_after": NOW}, "c"),
            ({"updated_before": NOW}, "b"),
            ({"created_after": EARLIER, "created_before": LATER}, "bc"),
            ({"tag": "gift"}, "ac"),
            ({"tag": "gif"}, ""),
            ({"context": {}}, "abcd"),
            ({"context": {"initial": {"total": 3}}}, "b"),
            ({"limit": 0}, ""),
            ({"limit": None, "after": None}, "abcd"),
            ({"status": "running", "workflow_version": 7}, "d"),
            ({"status": "running", "status_in": ["halted"]}, ""),
            ({"workflow": "shop.Orders", "workflow_family": "office."}, ""),
            ({"id": "orderid::1", "status": "running", "tag": "gift", "created_before": NOW}, "a"),
        ],
    )
    async def test_the_runs_that_pass_all_filters_are_returned(
        self, storage: Storage, filters: dict[str, Any], expected: str
    ) -> None:
        letters = await _four_runs(storage)

        found = await storage.query(**filters)

        assert "".join(sorted(letters[run.run_id] for run in found)) == expected

    async def test_a_run_is_found_by_its_run_id(self, storage: Storage) -> None:
        letters = await _four_runs(storage)
        wanted = next(iter(letters))

        found = await storage.query(run_id=wanted)

        assert [run.run_id for run in found] == [wanted]

    async def test_a_query_sees_what_was_committed_last(self, storage: Storage) -> None:
        run = await store(storage, new_run(status="running"))
        await commit(storage, moved(run, status="halted", updated_at=LATER))

        counts = [
            await storage.count(**filters)
            for filters in (
                {"status": "running"},
                {"status": "halted"},
                {"updated_before": LATER},
                {"updated_after": NOW},
            )
        ]

        assert counts == [0, 1, 0, 1]

    async def test_an_unknown_filter_is_refused_with_the_nearest_name(
        self, storage: Storage
    ) -> None:
        with pytest.raises(UnknownFilter) as raised:
            await storage.query(statuses="running")

        assert raised.value.nearest == "status"
        with pytest.raises(UnknownFilter):
            await storage.count(statuses="running")

    @pytest.mark.parametrize(("name", "value"), WRONG_VALUES)
    async def test_a_wrong_value_is_refused(
        self, storage: Storage, name: str, value: object
    ) -> None:
        with pytest.raises(InvalidArgument, match=name):
            await storage.query(**{name: value})

        with pytest.raises(InvalidArgument, match=name):
            await storage.count(**{name: value})

    @pytest.mark.parametrize("name", ["id", "status", "status_in", "workflow", "tag", "context"])
    async def test_none_is_no_filter(self, storage: Storage, name: str) -> None:
        with pytest.raises(InvalidArgument, match=name):
            await storage.query(**{name: None})

    async def test_a_count_is_the_number_of_runs_that_pass(self, storage: Storage) -> None:
        await _four_runs(storage)

        counts = [
            await storage.count(),
            await storage.count(status="running"),
            await storage.count(status_in=[]),
        ]

        assert counts == [4, 2, 0]

    async def test_limit_order_and_cursor_do_not_change_a_count(self, storage: Storage) -> None:
        letters = await _four_runs(storage)

        count = await storage.count(limit=1, order="oldest", after=next(iter(letters)))

        assert count == 4


def _statuses() -> list[tuple[int, str]]:
    return list(enumerate(STATUSES))


async def _four_runs(storage: Storage) -> dict[str, str]:
    """Store runs that differ in all that filters ask for, and return their letters."""
    runs = {
        "a": new_run("orderid::1", created_at=EARLIER, tags=("gift", "orders")),
        "b": finished_run(
            "orderid::1", workflow="shop.Returns", updated_at=EARLIER, initial={"total": 3}
        ),
        "c": new_run(
            "orderid::2",
            workflow="office.Orders",
            status="halted",
            updated_at=LATER,
            tags=("gift",),
        ),
        "d": new_run("orderid::3", workflow_version=7, created_at=NOW + timedelta(days=1)),
    }
    for run in runs.values():
        await store(storage, run)
    return {run.run_id: letter for letter, run in runs.items()}

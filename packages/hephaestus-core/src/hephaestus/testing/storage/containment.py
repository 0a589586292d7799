"""What the filter `context` finds: containment, by the rules of PostgreSQL's `@>` for jsonb."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from hephaestus.context import Context
from hephaestus.storage import Storage
from hephaestus.testing.storage.samples import commit, new_run, store, with_results

TICKET = UUID("01980000-0000-7000-8000-000000000001")

ORDER = {
    "total": 3,
    "price": 2.5,
    "gift": True,
    "note": None,
    "text": "fragile",
    "lines": [{"sku": "a", "count": 1}, {"sku": "b", "count": 2}],
    "sizes": [3, 1, 2, 1],
    "nested": {"deep": {"deeper": [["x", "y"], ["z"]]}},
    "empty": {},
    "none": [],
    "large": 2**70,
    "float": 1e16,
    "when": datetime(2026, 7, 1, 12, tzinfo=UTC),
    "price_exact": Decimal("1.50"),
    "ticket": TICKET,
    "labels": {"red", "blue"},
    "pair": (1, 2),
    "$": {"$ref": "x"},
    "näme": "Ünï'\"\\%_",
}


class Containment:
    """Clauses about finding runs by their data."""

    @pytest.mark.parametrize(
        "part",
        [
            {},
            {"total": 3},
            {"total": 3.0},
            {"price": 2.5},
            {"gift": True},
            {"note": None},
            {"text": "fragile", "total": 3},
            {"lines": []},
            {"lines": [{}]},
            {"lines": [{"sku": "b"}]},
            {"lines": [{"sku": "b", "count": 2}, {"sku": "a"}]},
            {"sizes": [1]},
            {"sizes": [2, 3]},
            {"sizes": [1, 1, 1, 1, 1]},
            {"nested": {"deep": {}}},
            {"nested": {"deep": {"deeper": [["y"]]}}},
            {"nested": {"deep": {"deeper": [["z"], ["x"]]}}},
            {"empty": {}},
            {"none": []},
            {"large": 2**70},
            {"float": 1e16},
            {"float": 10**16},
            {"when": datetime(2026, 7, 1, 12, tzinfo=UTC)},
            {"price_exact": Decimal("1.50")},
            {"ticket": TICKET},
            # Sets print in another order in each process, and xdist compares the names.
            pytest.param({"labels": {"red", "blue"}}, id="labels"),
            {"pair": (1, 2)},
            {"$": {"$ref": "x"}},
            {"näme": "Ünï'\"\\%_"},
        ],
        ids=repr,
    )
    async def test_a_run_is_found_by_what_its_data_contain(
        self, storage: Storage, part: dict[str, Any]
    ) -> None:
        run = await store(storage, new_run(initial=ORDER))

        found = await storage.query(context={"initial": part})

        assert [one.run_id for one in found] == [run.run_id]

    @pytest.mark.parametrize(
        "part",
        [
            {"total": 4},
            {"total": "3"},
            {"total": True},
            {"total": None},
            {"total": [3]},
            {"total": {}},
            {"gift": 1},
            {"gift": "true"},
            {"note": {}},
            {"absent": None},
            {"absent": {}},
            {"text": "frag"},
            {"text": "FRAGILE"},
            {"text": "%"},
            {"text": ["fragile"]},
            {"sizes": 1},
            {"sizes": [4]},
            {"sizes": {}},
            {"lines": {}},
            {"lines": [{"sku": "a", "count": 2}]},
            {"lines": ["a"]},
            {"nested": {"deeper": []}},
            {"nested": {"deep": {"deeper": [["x", "z"]]}}},
            {"nested": {"deep": {"deeper": ["x"]}}},
            {"empty": []},
            {"none": {}},
            {"large": 2**70 + 1},
            {"float": 10**16 + 2},
            {"when": "2026-07-01T12:00:00+00:00"},
            {"when": date(2026, 7, 1)},
            {"price_exact": 1.5},
            {"ticket": str(TICKET)},
            {"labels": ["red"]},
            {"pair": [1, 2]},
            {"$": {"ref": "x"}},
        ],
        ids=repr,
    )
    async def test_a_run_is_not_found_by_what_its_data_do_not_contain(
        self, storage: Storage, part: dict[str, Any]
    ) -> None:
        await store(storage, new_run(initial=ORDER))

        found = await storage.query(context={"initial": part})

        assert found == []

    async def test_a_run_is_found_by_the_results_of_its_steps(self, storage: Storage) -> None:
        run = await store(storage, new_run())
        after = with_results(run, charge={"amount": 30}, pack={})
        await commit(storage, after, results=("charge", "pack"))
        parts: list[dict[str, Any]] = [
            {"charge": {"amount": 30}},
            {"charge": {}, "pack": {}},
            {"charge": {"amount": 31}},
            {"ship": {}},
        ]

        counts = [await storage.count(context={"steps": part}) for part in parts]

        assert counts == [1, 1, 0, 0]

    async def test_initial_data_and_results_must_both_be_contained(self, storage: Storage) -> None:
        context = Context(initial={"total": 3}, steps={"charge": {"amount": 30}})
        await store(storage, new_run(context=context), results=("charge",))

        counts = [
            await storage.count(context={"initial": {"total": 3}, "steps": steps})
            for steps in ({"charge": {"amount": 30}}, {"charge": {"amount": 3}})
        ]

        assert counts == [1, 0]

    async def test_data_that_a_put_replaced_are_not_found(self, storage: Storage) -> None:
        run = await store(storage, new_run(initial={"total": 3}))
        await storage.put(new_run(run_id=run.run_id, initial={"total": 4}))

        counts = [await storage.count(context={"initial": {"total": n}}) for n in (3, 4)]

        assert counts == [0, 1]

    async def test_containment_goes_together_with_other_filters_and_a_limit(
        self, storage: Storage
    ) -> None:
        for n in range(6):
            status = "halted" if n < 4 else "running"
            await store(storage, new_run(f"orderid::{n}", status=status, initial={"odd": n % 2}))

        found = await storage.query(
            context={"initial": {"odd": 1}}, status="halted", order="oldest", limit=1
        )

        assert [run.id for run in found] == ["orderid::1"]

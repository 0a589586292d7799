"""In which order a query returns runs, and how it is read page by page."""

from datetime import timedelta
from typing import Any

import pytest

from hephaestus.errors import InvalidArgument
from hephaestus.instance import Instance
from hephaestus.storage import Storage
from hephaestus.testing.storage.samples import (
    NOW,
    SECOND,
    commit,
    ended,
    new_run,
    run_ids,
    some_run_id,
    store,
)


class Paging:
    """Clauses about order, limit and cursor."""

    async def test_the_newest_come_first_unless_the_oldest_are_wanted(
        self, storage: Storage
    ) -> None:
        first, last, middle = [await _created(storage, after=n) for n in (0, 2, 1)]

        newest = await storage.query()
        explicit = await storage.query(order="newest")
        oldest = await storage.query(order="oldest")

        assert run_ids(*newest) == run_ids(*explicit) == run_ids(last, middle, first)
        assert run_ids(*oldest) == run_ids(first, middle, last)

    async def test_runs_of_one_moment_are_ordered_by_their_run_ids(self, storage: Storage) -> None:
        runs = [new_run() for _ in range(5)]
        for n in (3, 0, 4, 2, 1):
            await store(storage, runs[n])

        oldest = await storage.query(order="oldest")
        newest = await storage.query()

        assert run_ids(*oldest) == sorted(run_ids(*runs))
        assert run_ids(*newest) == sorted(run_ids(*runs), reverse=True)

    async def test_a_microsecond_makes_a_run_newer(self, storage: Storage) -> None:
        newer = await store(storage, new_run(created_at=NOW + timedelta(microseconds=1)))
        older = await store(storage, new_run(created_at=NOW))

        found = await storage.query()

        assert run_ids(*found) == run_ids(newer, older)

    async def test_an_import_of_older_runs_comes_where_it_belongs(self, storage: Storage) -> None:
        newer = await _created(storage, after=1)
        older = new_run()
        await storage.put(older)

        found = await storage.query()

        assert run_ids(*found) == run_ids(newer, older)

    async def test_a_commit_does_not_move_a_run(self, storage: Storage) -> None:
        first, second = [await _created(storage, after=n) for n in (0, 1)]
        await commit(storage, ended(first, at=NOW + 9 * SECOND))

        found = await storage.query()

        assert run_ids(*found) == run_ids(second, first)

    async def test_filters_apply_before_the_limit(self, storage: Storage) -> None:
        wanted = [await _created(storage, after=n, status="halted") for n in (0, 1, 2)]
        for n in range(3, 9):
            await _created(storage, after=n)

        found = await storage.query(status="halted", limit=2)

        assert run_ids(*found) == run_ids(wanted[2], wanted[1])

    @pytest.mark.parametrize("order", ["newest", "oldest"])
    @pytest.mark.parametrize("size", [1, 2, 3, 7, 8])
    async def test_pages_show_each_run_once_in_order(
        self, storage: Storage, order: str, size: int
    ) -> None:
        for n in (4, 1, 1, 3, 1, 2, 0):
            await _created(storage, after=n)

        pages = await _pages(storage, order=order, limit=size)

        assert [run_ids(*page) for page in pages if len(page) > size] == []
        assert [run for page in pages for run in page] == await storage.query(order=order)

    @pytest.mark.parametrize("order", ["newest", "oldest"])
    async def test_pages_of_filtered_runs_show_those_alone(
        self, storage: Storage, order: str
    ) -> None:
        for n in range(9):
            await _created(storage, after=n // 2, status="halted" if n % 3 else "running")

        pages = await _pages(storage, order=order, limit=2, status="halted")

        expected = await storage.query(order=order, status="halted")
        assert [run for page in pages for run in page] == expected
        assert len(expected) == 6

    @pytest.mark.parametrize(("order", "expected"), [("newest", [1, 0]), ("oldest", [2, 3, 4, 9])])
    async def test_runs_that_are_created_meanwhile_do_not_shift_the_pages(
        self, storage: Storage, order: str, expected: list[int]
    ) -> None:
        runs = {n: await _created(storage, after=n) for n in range(5)}
        page = await storage.query(order=order, limit=3 if order == "newest" else 2)
        runs[9] = await _created(storage, after=9)

        rest = await storage.query(order=order, after=page[-1].run_id)

        assert run_ids(*rest) == run_ids(*(runs[n] for n in expected))

    async def test_the_last_row_seen_need_not_pass_the_filters_any_more(
        self, storage: Storage
    ) -> None:
        runs = [await _created(storage, after=n) for n in range(4)]
        page = await storage.query(status="running", limit=2)
        await commit(storage, ended(page[-1]))

        rest = await storage.query(status="running", after=page[-1].run_id)

        assert run_ids(*rest) == run_ids(runs[1], runs[0])

    async def test_nothing_follows_the_last_run(self, storage: Storage) -> None:
        run = await _created(storage, after=0)

        rest = await storage.query(after=run.run_id)

        assert rest == []

    @pytest.mark.parametrize("cursor", [pytest.param(some_run_id(), id="a run id"), "orderid::1"])
    async def test_a_cursor_that_is_no_stored_run_is_refused(
        self, storage: Storage, cursor: str
    ) -> None:
        await _created(storage, after=0)

        with pytest.raises(InvalidArgument, match=cursor):
            await storage.query(after=cursor)


class Ids:
    """Clauses about `ids`."""

    async def test_each_id_comes_once_the_one_of_the_newest_run_first(
        self, storage: Storage
    ) -> None:
        for n, id in enumerate(("orderid::1", "orderid::2", "orderid::3", "orderid::1")):
            await _created(storage, after=n, id=id)

        ids = await storage.ids()

        assert ids == ["orderid::1", "orderid::3", "orderid::2"]

    async def test_ids_of_one_workflow_are_those_of_its_runs(self, storage: Storage) -> None:
        await _created(storage, after=0, id="orderid::1")
        await _created(storage, after=1, id="returnid::1", workflow="shop.Returns")

        ids = await storage.ids("shop.Returns")

        assert ids == ["returnid::1"]

    async def test_a_limit_counts_ids_and_not_runs(self, storage: Storage) -> None:
        for n, id in enumerate(("orderid::1", "orderid::2", "orderid::3", "orderid::3")):
            await _created(storage, after=n, id=id)

        ids = [await storage.ids(limit=2), await storage.ids(limit=0)]

        assert ids == [["orderid::3", "orderid::2"], []]

    @pytest.mark.parametrize("wrong", [{"limit": -1}, {"limit": "2"}, {"workflow": 1}])
    async def test_a_wrong_workflow_or_limit_is_refused(
        self, storage: Storage, wrong: dict[str, Any]
    ) -> None:
        with pytest.raises(InvalidArgument, match=next(iter(wrong))):
            await storage.ids(**wrong)


async def _created(
    storage: Storage, *, after: int, id: str = "orderid::1", **fields: Any
) -> Instance:
    """Store a run that was created so many seconds after the others."""
    return await store(storage, new_run(id, created_at=NOW + after * SECOND, **fields))


async def _pages(storage: Storage, **filters: Any) -> list[list[Instance]]:
    """Read a query to its end, page by page; a broken cursor must not make it endless."""
    pages = [await storage.query(**filters)]
    while pages[-1] and len(pages) < 20:
        pages.append(await storage.query(after=pages[-1][-1].run_id, **filters))
    return pages

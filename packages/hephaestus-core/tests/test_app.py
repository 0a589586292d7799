"""Hephaestus: opening and closing, which app is meant, and what it refuses."""

import asyncio
import types
import warnings
from collections.abc import AsyncIterator, Mapping
from typing import Any, ClassVar

import pytest

from hephaestus import running
from hephaestus.app import Hephaestus
from hephaestus.errors import (
    InstanceFinished,
    InvalidArgument,
    NoApp,
    NotRetryable,
    SeveralApps,
    StorageUnavailable,
    UnknownFilter,
)
from hephaestus.local import LocalRunner
from hephaestus.memory import MemoryStorage
from hephaestus.steps import Done, StepContext, WaitForEvent, step
from hephaestus.testing.runner.outage import Outage
from hephaestus.workflow import Workflow

PATIENCE = 5.0

paid = WaitForEvent("paid")


@step
async def look(ctx: StepContext) -> dict[str, Any]:
    """Tell which app the body works for."""
    return {"app": running.current().name}


@step(transactional=True)
async def book(ctx: StepContext) -> None: ...


class Waiting:
    start_step = paid
    transitions: ClassVar[Mapping[Any, Mapping[str, Any]]] = {
        paid: {"received": look},
        look: {"done": Done},
    }


class Bill(Waiting, Workflow, unique="bill", tags=["bills"]): ...


class Memo(Waiting, Workflow, unique="bill"):
    """Shares its key with `Bill`."""


class Pinned(Waiting, Workflow, unique="pinned", app="billing"): ...


class Booking(Workflow, unique="booking"):
    start_step = book
    transitions = {book: {"done": Done}}  # as users write it


@pytest.fixture
async def app() -> AsyncIterator[Hephaestus]:
    async with Hephaestus(name="shop") as app:
        yield app


# Opening and closing


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (["postgresql://shop:secret@db/shop"], "takes a storage, as .*, not str$"),
        ([MemoryStorage], "takes a storage, as .*, not the class MemoryStorage$"),
        ([LocalRunner()], "takes a storage, as .*, not LocalRunner$"),
        ([None, LocalRunner], "takes a runner, as .*, not the class LocalRunner$"),
    ],
)
def test_what_is_no_storage_or_no_runner_is_refused_without_what_it_holds(
    given: list[Any], told: str
) -> None:
    with pytest.raises(InvalidArgument, match=told):
        Hephaestus(*given)


async def test_without_options_it_runs_here_and_keeps_in_memory() -> None:
    app = Hephaestus()

    assert isinstance(app.storage, MemoryStorage)
    assert isinstance(app.runner, LocalRunner)
    assert app.name


async def test_it_is_found_while_it_is_open() -> None:
    with pytest.raises(NoApp):
        running.current()
    async with Hephaestus() as app:
        assert app is running.current()
    with pytest.raises(NoApp):
        running.current()


async def test_opening_twice_is_refused(app: Hephaestus) -> None:
    with pytest.raises(InvalidArgument, match="'shop' is open already"):
        await app.open()

    assert app is running.current()


async def test_opening_twice_at_once_is_refused() -> None:
    app = Hephaestus()

    answers = await asyncio.gather(app.open(), app.open(), return_exceptions=True)
    await app.close()

    assert [type(None), InvalidArgument] == [type(answer) for answer in answers]


async def test_two_apps_of_one_name_are_refused(app: Hephaestus) -> None:
    with pytest.raises(InvalidArgument, match="an app named 'shop' is already running"):
        await Hephaestus(name="shop").open()

    assert app is running.current()


async def test_closing_what_is_not_open_does_nothing() -> None:
    app = Hephaestus()

    await app.close()


async def test_an_app_whose_storage_is_away_does_not_open() -> None:
    outage = Outage(MemoryStorage())
    outage.begin()
    app = Hephaestus(outage.storage)

    with pytest.raises(StorageUnavailable):
        await app.open()

    with pytest.raises(NoApp):
        running.current()


async def test_a_body_that_raises_within_the_block_closes_the_app() -> None:
    with pytest.raises(LookupError):
        async with Hephaestus():
            raise LookupError

    with pytest.raises(NoApp):
        running.current()


async def test_a_closed_app_takes_no_verb() -> None:
    async with Hephaestus(name="shop") as app:
        bill = await Bill.start("1", {})
        await bill.cancel()

    verbs = [
        app.start_instance(Bill, {}, id="bill::2"),
        app.resume("bill::1", "paid"),
        app.schedule_resume("bill::1", paid, 1),
        app.withdraw("message"),
        app.cancel("bill::1"),
        app.retry("bill::1"),
        app.get("bill::1"),
        app.history("bill::1"),
        app.query(),
        app.count(),
        app.wait("bill::1", PATIENCE),
        bill.get(),
        bill.wait(PATIENCE),
    ]
    for verb in verbs:
        with pytest.raises(NoApp, match="'shop'"):
            await verb


async def test_a_wait_ends_when_the_app_closes() -> None:
    async with Hephaestus(name="shop"):
        bill = await Bill.start("1", {})
        waiting = asyncio.create_task(bill.wait())
        await bill.wait(PATIENCE, until="waiting")

    with pytest.raises(NoApp):
        async with asyncio.timeout(PATIENCE):
            await waiting


async def test_the_rows_of_a_memory_storage_serve_the_next_app() -> None:
    storage = MemoryStorage()
    async with Hephaestus(storage):
        bill = await Bill.start("1", {"total": 3})

    async with Hephaestus(storage) as app:
        await Bill.resume("1", "paid")
        instance = await app.wait(bill.run_id, PATIENCE)

    assert ("completed", {"total": 3}) == (instance.status, instance.context.initial)


async def test_two_apps_share_one_memory_storage() -> None:
    storage = MemoryStorage()
    async with Hephaestus(storage) as here, Hephaestus(storage) as there:
        bill = await here.start_instance(Bill, {}, id="bill::1")
        await there.resume("bill::1", "paid")
        instance = await there.wait(bill.run_id, PATIENCE)

        with pytest.raises(InstanceFinished):
            await here.cancel("bill::1")

    assert "completed" == instance.status


async def test_two_apps_on_two_storages_know_nothing_of_each_other() -> None:
    async with Hephaestus() as here, Hephaestus() as there:
        await here.start_instance(Bill, {}, id="bill::1")
        await there.start_instance(Bill, {}, id="bill::1")
        await here.cancel("bill::1")

        assert ["cancelled", "waiting"] == [
            (await one.get("bill::1")).status for one in (here, there)
        ]


# Which app is meant


async def test_of_several_apps_one_is_meant_where_it_is_bound() -> None:
    async with Hephaestus(name="shop") as shop, Hephaestus(name="office") as office:
        with pytest.raises(SeveralApps, match="office, shop"):
            await Bill.start("1", {})
        with shop.bound():
            bill = await Bill.start("1", {})
            with office.bound():
                here = await Bill.list()
            there = await Bill.list()

    assert ([], [bill.run_id]) == (here, [one.run_id for one in there])


async def test_a_body_means_the_app_that_executes_it() -> None:
    async with Hephaestus(name="shop") as shop, Hephaestus(name="office"):
        bill = await shop.start_instance(Bill, {}, id="bill::1")
        await bill.resume("paid")
        result = await bill.result(PATIENCE)

    assert "shop" == result["app"]


async def test_a_pinned_workflow_means_its_app() -> None:
    async with Hephaestus(name="shop") as shop, Hephaestus(name="billing") as billing:
        pinned = await Pinned.start("1", {})
        with shop.bound():
            found = await Pinned.get("1")
        with pytest.raises(InvalidArgument, match="pinned to the app 'billing'"):
            await shop.start_instance(Pinned, {}, id="pinned::2")

        assert (1, 0) == (await billing.count(), await shop.count())
    assert pinned.run_id == found.run_id


async def test_a_pinned_workflow_needs_its_app(app: Hephaestus) -> None:
    with pytest.raises(NoApp, match="'billing'"):
        await Pinned.start("1", {})

    assert 0 == await app.count()


# What a storage cannot do


async def test_a_session_is_refused_where_there_are_no_transactions(app: Hephaestus) -> None:
    bill = await Bill.start("1", {})
    await bill.wait(PATIENCE, until="waiting")

    for verb in (
        Bill.start("2", {}, session=object()),
        Bill.resume("1", "paid", session=object()),
        Bill.cancel("1", session=object()),
    ):
        with pytest.raises(InvalidArgument, match="session="):
            await verb

    assert 1 == await app.count(status="waiting")


async def test_transactional_steps_are_refused_where_there_are_no_transactions(
    app: Hephaestus,
) -> None:
    with pytest.raises(InvalidArgument, match=r"transactional steps \(book\), and MemoryStorage"):
        await Booking.start("1", {})

    assert 0 == await app.count()


async def test_a_workflow_of_main_warns_on_a_durable_storage_alone() -> None:
    body = {"__module__": "__main__", "start_step": look, "transitions": {look: {"done": Done}}}
    script: Any = types.new_class(
        "Script", (Workflow,), {"unique": "script"}, lambda names: names.update(body)
    )

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        async with Hephaestus():
            await script.start("1", {})
    async with Hephaestus(Durable()):
        with pytest.warns(UserWarning, match="defined in __main__"):
            await script.start("1", {})


class Durable(MemoryStorage):
    """A storage that says that it outlives its process."""

    durable = True


# Queries and the end of runs


async def test_runs_are_queried_and_counted(app: Hephaestus) -> None:
    bills = [await Bill.start(str(number), {"number": number}) for number in range(5)]
    await Memo.start("1", {})
    await bills[0].cancel()

    newest = await app.query(workflow=Bill, status_in=["waiting"], limit=2)
    oldest = await app.query(tag="bills", order="oldest")

    assert ["bill::4", "bill::3"] == [one.id for one in newest]
    assert [bill.run_id for bill in bills] == [one.run_id for one in oldest]
    assert (6, 4) == (await app.count(), await app.count(workflow=Bill, status="waiting"))
    assert ["bill::3"] == [o.id for o in await Bill.list(context={"initial": {"number": 3}})]


async def test_an_unknown_filter_is_refused(app: Hephaestus) -> None:
    with pytest.raises(UnknownFilter, match="did you mean 'status'"):
        await app.query(statsu="waiting")
    with pytest.raises(InvalidArgument):
        await app.count(status="over")


async def test_a_listing_cannot_be_widened(app: Hephaestus) -> None:
    await Bill.start("1", {})
    memo = await Memo.start("1", {})

    assert [memo.run_id] == [one.run_id for one in await Memo.list(workflow=Bill)]


async def test_the_end_of_a_run_is_told_to_those_who_would_change_it(app: Hephaestus) -> None:
    bill = await Bill.start("1", {})
    with pytest.raises(NotRetryable) as retried:
        await Bill.retry("1")
    await Bill.cancel("1")
    with pytest.raises(InstanceFinished) as cancelled:
        await Bill.cancel("1")
    with pytest.raises(InstanceFinished) as resumed:
        await Bill.resume("1", "paid")

    assert "waiting" == retried.value.status
    for error in (cancelled.value, resumed.value):
        assert ("bill::1", bill.run_id, "cancelled") == (
            error.instance_id, error.run_id, error.status,
        )  # fmt: skip
    assert ["suspended", "cancelled"] == [entry.action for entry in await app.history("bill::1")]

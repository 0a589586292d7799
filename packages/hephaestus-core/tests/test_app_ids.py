"""Hephaestus: ids and where they are unique, versions, and the data of a run."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any, ClassVar

import pytest

from hephaestus.app import Hephaestus
from hephaestus.errors import (
    AlreadyRunning,
    AmbiguousInstance,
    InstanceNotFound,
    InvalidArgument,
    NotSerializable,
    PayloadTooLarge,
)
from hephaestus.handle import Handle
from hephaestus.key import Unique
from hephaestus.memory import MemoryStorage
from hephaestus.steps import Done, StepContext, WaitForEvent, step
from hephaestus.workflow import Workflow

PATIENCE = 5.0

paid = WaitForEvent("paid")


@step
async def look(ctx: StepContext) -> dict[str, Any]:
    """Tell which version the body works for."""
    return {"version": ctx.instance.workflow_version}


class Waiting:
    start_step = paid
    transitions: ClassVar[Mapping[Any, Mapping[str, Any]]] = {
        paid: {"received": look},
        look: {"done": Done},
    }


class Bill(Waiting, Workflow, unique="bill", tags=["bills"]): ...


class Memo(Waiting, Workflow, unique="bill"):
    """Shares its key with `Bill`."""


class Anywhere(Waiting, Workflow, unique=Unique("anywhere", scope="global")): ...


class Elsewhere(Waiting, Workflow, unique=Unique("anywhere", scope="global")): ...


class Note(Waiting, Workflow, unique=Unique("note", scope="none")): ...


class User(Workflow, unique="user", current=2):
    class V1(Waiting, Workflow, version=1): ...

    class V2(Waiting, Workflow, version=2): ...

    class V3(Waiting, Workflow, version=3): ...

    @classmethod
    def version_for(cls, versions: Mapping[int, Any], *, tenant: str = "") -> int | None:
        return max(versions) if tenant == "new" else None


class Team(Workflow, unique=Unique("team", scope="version"), current=1):
    class V1(Waiting, Workflow, version=1): ...

    class V2(Waiting, Workflow, version=2): ...


@pytest.fixture
async def app() -> AsyncIterator[Hephaestus]:
    async with Hephaestus(name="shop") as app:
        yield app


# Ids and scopes


async def test_a_hundred_starts_at_once_give_one_run(app: Hephaestus) -> None:
    answers = await asyncio.gather(
        *(Bill.start("1", {"number": number}) for number in range(100)), return_exceptions=True
    )

    handles = [answer for answer in answers if isinstance(answer, Handle)]
    refusals = [answer for answer in answers if isinstance(answer, AlreadyRunning)]
    assert (1, 99) == (len(handles), len(refusals))
    assert {("bill::1", handles[0].run_id)} == {(r.instance_id, r.run_id) for r in refusals}
    assert 1 == await app.count()


async def test_a_hundred_starts_at_once_in_two_apps_give_one_run() -> None:
    storage = MemoryStorage()
    async with Hephaestus(storage) as here, Hephaestus(storage) as there:
        answers = await asyncio.gather(
            *(
                (here, there)[number % 2].start_instance(Bill, {}, id="bill::1")
                for number in range(100)
            ),
            return_exceptions=True,
        )
        count = await here.count()

    assert (1, 99) == (count, sum(isinstance(answer, AlreadyRunning) for answer in answers))


async def test_an_id_is_free_again_once_its_run_has_finished(app: Hephaestus) -> None:
    first = await Bill.start("1", {})
    await first.resume("paid")
    await first.wait(PATIENCE)
    second = await Bill.start("1", {})

    assert first.run_id != second.run_id
    assert second.run_id == (await Bill.get("1")).run_id
    assert first.run_id == (await app.get(first.run_id)).run_id
    assert 2 == await app.count(id="bill::1")


async def test_an_id_means_the_newest_run_where_all_have_finished(app: Hephaestus) -> None:
    for _ in range(3):
        last = await Bill.start("1", {})
        await last.cancel()

    assert last.run_id == (await app.get("bill::1")).run_id


async def test_in_scope_workflow_two_workflows_may_hold_one_id(app: Hephaestus) -> None:
    bill, memo = await Bill.start("1", {}), await Memo.start("1", {})

    with pytest.raises(AmbiguousInstance) as caught:
        await app.get("bill::1")
    with pytest.raises(AlreadyRunning):
        await Memo.start("1", {})

    assert {
        (bill.run_id, Bill.name, 1),
        (memo.run_id, Memo.name, 1),
    } == set(caught.value.runs)


async def test_an_ambiguous_id_is_decided_by_workflow_or_run_id(app: Hephaestus) -> None:
    bill, memo = await Bill.start("1", {}), await Memo.start("1", {})

    found = [
        await app.get("bill::1", workflow=Bill),
        await app.get("bill::1", workflow=Memo.name),
        await app.get(bill.run_id),
        await Memo.get("1"),
    ]
    for verb in (app.resume("bill::1", "paid"), app.cancel("bill::1"), app.retry("bill::1")):
        with pytest.raises(AmbiguousInstance):
            await verb
    await app.resume("bill::1", "paid", workflow=Memo)
    await memo.wait(PATIENCE, until="completed")
    await app.cancel("bill::1", workflow=Bill)

    assert [bill.run_id, memo.run_id, bill.run_id, memo.run_id] == [one.run_id for one in found]
    assert "cancelled" == (await bill.get()).status


async def test_in_scope_global_one_id_is_held_once_by_all(app: Hephaestus) -> None:
    held = await Anywhere.start("1", {})

    with pytest.raises(AlreadyRunning) as caught:
        await Elsewhere.start("1", {})

    assert held.run_id == caught.value.run_id
    assert 1 == await app.count()


async def test_in_scope_version_each_version_may_hold_an_id(app: Hephaestus) -> None:
    first, second = await Team.start("1", {}), await Team.start("1", {}, version=2)

    with pytest.raises(AlreadyRunning):
        await Team.start("1", {}, version=2)
    with pytest.raises(AmbiguousInstance):
        await Team.get("1")

    assert first.run_id == (await Team.get("1", version=1)).run_id
    assert second.run_id == (await app.get("team::1", version=2)).run_id
    await Team.cancel("1", version=1)
    assert second.run_id == (await Team.get("1")).run_id


async def test_in_scope_none_nothing_is_held(app: Hephaestus) -> None:
    notes = [await Note.start("1", {}) for _ in range(3)]

    await app.resume(notes[0].id, "paid")
    await notes[0].wait(PATIENCE, until="completed")

    assert 3 == len({note.id for note in notes})
    assert all(note.id.startswith("note::1::") for note in notes)
    assert 3 == len(await Note.list())


async def test_a_value_that_is_none_is_refused_before_anything_is_stored(app: Hephaestus) -> None:
    wrong: list[Any] = ["A", "a-b", "a::b", "", " ", "1\n", 1, None]
    for value in wrong:
        with pytest.raises(InvalidArgument):
            await Bill.start(value, {})

    assert 0 == await app.count()


async def test_an_id_may_be_of_any_form_where_it_is_given_whole(app: Hephaestus) -> None:
    run = await app.start_instance(Bill, {}, id="Invoice 7/2026")

    assert run.run_id == (await app.get("Invoice 7/2026")).run_id
    wrong: list[Any] = ["", None, 7]
    for id in wrong:
        with pytest.raises(InvalidArgument):
            await app.start_instance(Bill, {}, id=id)


async def test_a_handle_stands_for_its_run(app: Hephaestus) -> None:
    first, second = await Note.start("1"), await Note.start("1")

    await app.resume(first, "paid", {"cents": 3})
    await app.cancel(second)

    assert {"version": 1} == await app.result(first, PATIENCE)
    assert ["completed", "cancelled"] == [(await app.get(run)).status for run in (first, second)]


@pytest.mark.parametrize("id", [None, 3, ["bill::1"], b"bill::1"], ids=repr)
async def test_what_is_no_id_is_refused(app: Hephaestus, id: Any) -> None:
    for verb in (app.get, app.history, app.resume, app.cancel, app.retry, app.wait, app.result):
        with pytest.raises(InvalidArgument, match="its id"):
            await verb(id)


async def test_an_unknown_id_is_not_found(app: Hephaestus) -> None:
    verbs = [
        app.get("bill::1"),
        app.history("bill::1"),
        app.resume("bill::1", "paid"),
        app.cancel("bill::1"),
        app.retry("bill::1"),
        app.wait("bill::1", PATIENCE),
        app.schedule_resume("bill::1", paid, 1),
        Bill.get("1"),
    ]
    for verb in verbs:
        with pytest.raises(InstanceNotFound, match="'bill::1'"):
            await verb


# Versions


@pytest.mark.parametrize(
    ("options", "version"),
    [({}, 2), ({"version": 1}, 1), ({"tenant": "new"}, 3), ({"tenant": "old"}, 2),
     ({"version": 1, "tenant": "new"}, 1)],
    ids=str,
)  # fmt: skip
async def test_a_start_takes_the_version_given_or_chosen_or_current(
    app: Hephaestus, options: dict[str, Any], version: int
) -> None:
    user = await User.start("1", {}, **options)
    await user.resume("paid")
    instance = await user.wait(PATIENCE)

    assert (version, f"{User.name}.V{version}") == (instance.workflow_version, instance.workflow)
    assert instance.result is not None
    assert version == instance.result["version"]
    assert 1 == await app.count(workflow=User)


async def test_a_start_with_a_wrong_version_or_option_stores_nothing(app: Hephaestus) -> None:
    wrong: list[tuple[type[Workflow], dict[str, Any], type[Exception]]] = [
        (User, {"version": 4}, InvalidArgument),
        (User, {"version": True}, InvalidArgument),
        (User, {"region": "eu"}, TypeError),
        (Bill, {"version": 2}, InvalidArgument),
        (Bill, {"tenant": "new"}, TypeError),
    ]
    for workflow, options, error in wrong:
        with pytest.raises(error):
            await workflow.start("1", {}, **options)

    assert 0 == await app.count()


async def test_versions_share_the_ids_of_their_umbrella(app: Hephaestus) -> None:
    user = await User.start("1", {}, version=1)

    with pytest.raises(AlreadyRunning):
        await User.start("1", {}, version=2)
    with pytest.raises(AlreadyRunning):
        await User.V3.start("1", {})

    assert user.run_id == (await User.get("1")).run_id == (await User.V1.get("1")).run_id
    assert [user.run_id] == [one.run_id for one in await User.list()]
    assert 0 == await app.count(workflow=User.V2)


# Data


async def test_data_that_cannot_be_stored_are_refused_with_their_path(app: Hephaestus) -> None:
    wrong: list[tuple[Any, str]] = [
        ({"items": [1, {"made": object()}]}, r"the initial data\['items'\]\[1\]\['made'\]"),
        ([1, 2], "the initial data"),
        ("text", "the initial data"),
        ({1: 2}, "the initial data"),
    ]
    for initial, path in wrong:
        with pytest.raises(NotSerializable, match=path):
            await Bill.start("1", initial)
    with pytest.raises(NotSerializable, match=r"telemetry_metadata\['at'\]"):
        await Bill.start("1", {}, telemetry_metadata={"at": object()})
    with pytest.raises(PayloadTooLarge, match="the initial data"):
        await Bill.start("1", {"text": "x" * 2**20})

    assert 0 == await app.count()


async def test_a_run_does_not_see_what_becomes_of_the_callers_data(app: Hephaestus) -> None:
    initial = {"items": [1]}

    bill = await Bill.start("1", initial)
    initial["items"].append(2)

    assert {"items": [1]} == (await app.get(bill.run_id)).context.initial


async def test_a_run_needs_no_data(app: Hephaestus) -> None:
    bill = await app.start_instance(Bill, id="bill::1")

    assert {} == (await bill.get()).context.initial

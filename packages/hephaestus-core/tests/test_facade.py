"""The verbs of a workflow ask the running app."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from hephaestus import running
from hephaestus.errors import InvalidArgument, NoApp, SeveralApps
from hephaestus.key import Unique
from hephaestus.steps import Done, StepContext, WaitForEvent, step
from hephaestus.workflow import Workflow

paid = WaitForEvent("paid")


@step
def bill(ctx: StepContext) -> None: ...


class Order(Workflow, unique="facadeorder"):
    start_step = bill
    transitions = {bill: {"done": paid}, paid: {"received": Done}}  # as users do


class Job(Order, unique=Unique("facadejob", scope="none")): ...


class Pinned(Order, unique="facadepinned", app="second"): ...


class Recorder:
    """An app that writes down what is asked of it, and answers with its name."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.calls: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = []

    def __getattr__(self, verb: str) -> Any:
        async def asked(*args: Any, **kwargs: Any) -> Any:
            self.calls.append((verb, args, kwargs))
            return self.name

        return asked


@pytest.fixture
def app() -> Iterator[Recorder]:
    yield from registered("first")


@pytest.fixture
def second() -> Iterator[Recorder]:
    yield from registered("second")


def registered(name: str) -> Iterator[Recorder]:
    made: Any = Recorder(name)
    running.register(made)
    yield made
    running.unregister(made)


async def test_a_run_may_begin_with_nothing(app: Recorder) -> None:
    await Order.start("42")

    assert (Order, None) == app.calls[0][1]


async def test_start_composes_the_id_and_returns_what_the_app_returns(app: Recorder) -> None:
    answer: object = await Order.start("42", {"a": 1})

    assert "first" == answer
    assert [
        (
            "start_instance",
            (Order, {"a": 1}),
            {
                "id": "facadeorder::42",
                "version": None,
                "telemetry_metadata": None,
                "session": None,
            },
        )
    ] == app.calls


async def test_start_hands_on_all_that_it_is_given(app: Recorder) -> None:
    await Order.start(
        "42", {}, version=2, telemetry_metadata={"t": 1}, session="session", tenant="x"
    )

    assert {
        "id": "facadeorder::42",
        "version": 2,
        "telemetry_metadata": {"t": 1},
        "session": "session",
        "tenant": "x",
    } == app.calls[0][2]


async def test_resume_names_run_workflow_and_step(app: Recorder) -> None:
    await Order.resume("42", "paid", {"a": 1}, step=paid, dedup_key="k", version=1, session="s")

    assert [
        (
            "resume",
            ("facadeorder::42", "paid", {"a": 1}),
            {"step": paid, "dedup_key": "k", "workflow": Order, "version": 1, "session": "s"},
        )
    ] == app.calls


async def test_get_cancel_and_retry_name_run_and_workflow(app: Recorder) -> None:
    await Order.get("42", version=1)
    await Order.cancel("42", version=2, session="s")
    await Order.retry("42")

    of_order = {"workflow": Order}
    assert [
        ("get", ("facadeorder::42",), of_order | {"version": 1}),
        ("cancel", ("facadeorder::42",), of_order | {"version": 2, "session": "s"}),
        ("retry", ("facadeorder::42",), of_order | {"version": None}),
    ] == app.calls


async def test_list_asks_for_this_workflow_whatever_else_is_asked_for(app: Recorder) -> None:
    await Order.list(status="running", workflow="another")

    assert [("query", (), {"status": "running", "workflow": Order})] == app.calls


@pytest.mark.parametrize("value", ["", "A", "a::b", 42, None])
async def test_a_wrong_value_reaches_no_app(app: Recorder, value: Any) -> None:
    for verb in (Order.get, Order.resume, Order.cancel, Order.retry):
        with pytest.raises(InvalidArgument, match="the value of 'facadeorder'"):
            await verb(value)
    with pytest.raises(InvalidArgument, match="the value of 'facadeorder'"):
        await Order.start(value, {})

    assert [] == app.calls


async def test_with_scope_none_a_start_has_an_id_of_its_own(app: Recorder) -> None:
    await Job.start("42", {})
    await Job.list()

    assert re.fullmatch(r"facadejob::42::[0-9a-f]{8}", app.calls[0][2]["id"])
    assert ("query", (), {"workflow": Job}) == app.calls[1]


async def test_with_scope_none_a_value_does_not_identify_a_run(app: Recorder) -> None:
    for verb in (Job.get, Job.resume, Job.cancel, Job.retry):
        with pytest.raises(InvalidArgument, match="use the Handle that start returned, or its run"):
            await verb("42")

    assert [] == app.calls


async def test_without_an_app_every_verb_says_so() -> None:
    for verb in (Order.get, Order.resume, Order.cancel, Order.retry):
        with pytest.raises(NoApp):
            await verb("42")
    with pytest.raises(NoApp):
        await Order.start("42", {})
    with pytest.raises(NoApp):
        await Order.list()


async def test_with_several_apps_a_workflow_must_be_pinned(app: Recorder, second: Recorder) -> None:
    with pytest.raises(SeveralApps):
        await Order.get("42")

    await Pinned.get("42")

    assert ([], 1) == (app.calls, len(second.calls))


async def test_a_pinned_workflow_runs_on_no_other_app(app: Recorder) -> None:
    with pytest.raises(NoApp, match="named 'second'"):
        await Pinned.start("42", {})

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hephaestus import (
    Done,
    Fatal,
    Halt,
    InstanceFinished,
    InvalidArgument,
    NotRetryable,
    Retry,
    Step,
    StepContext,
    Wait,
    WaitForEvent,
    Workflow,
    step,
)
from hephaestus.outcome import Completed
from hephaestus.testing import Harness, VirtualClock

DAY = timedelta(days=1)


@step(events=("valid", "invalid"))
def validate_order(ctx: StepContext) -> object:
    count = ctx.initial["item_count"]
    return ("valid", {"item_count": count}) if count > 0 else "invalid"


class ChargePayment(Step):
    events = ("charged",)
    retry = Retry(max_attempts=3, initial_delay=timedelta(hours=1), backoff="constant", jitter=0)

    async def execute(self, ctx: StepContext) -> object:
        return {"amount": ctx[validate_order]["item_count"] * 10, "key": ctx.idempotency_key}


paid = WaitForEvent("paid", timeout=timedelta(days=3))


cool_off = Wait(DAY, key="cool_off")


class OrderFlow(Workflow, unique="orderid"):
    start_step = validate_order
    transitions = {
        validate_order: {"valid": ChargePayment, "invalid": Done},
        ChargePayment: {"charged": paid},
        paid: {"received": cool_off, "timeout": Done},
        cool_off: {"timeout": Done},
    }


@step
async def begin(ctx: StepContext) -> None:
    return None


@step(events=("yes", "no"))
async def review(ctx: StepContext) -> object:
    return Halt({"amount": 30}, resume_to="no")


@step
async def ship(ctx: StepContext) -> object:
    return {"shipped": True}


@step
async def join(ctx: StepContext) -> object:
    return {"reviewed": review in ctx, "shipped": ship in ctx}


class Branches(Workflow, unique="branches"):
    start_step = begin
    transitions = {
        begin: {"done": [review, cool_off, ship]},
        review: {"yes": join, "no": join},
        cool_off: {"timeout": join},
        ship: {"done": join},
        join: {"done": Done},
    }


def how_it_went(harness: Harness) -> list[tuple[str, int]]:
    return [(attempt.step, attempt.number) for attempt in harness.attempts]


@pytest.mark.parametrize("thing", ["OrderFlow", None, begin, OrderFlow.graph], ids=range(4))
def test_what_is_no_workflow_is_refused(thing: Any) -> None:
    with pytest.raises(InvalidArgument, match=r"^a Harness runs a workflow class, not "):
        Harness(thing)


async def test_one_event_in_the_place_of_a_list_is_refused_with_the_way_out() -> None:
    with pytest.raises(InvalidArgument, match=r"^events= takes a list, as \['paid'\], not 'paid'"):
        await Harness(OrderFlow).run({"item_count": 1}, events="paid")


async def test_a_run_goes_on_until_it_waits_for_the_outside() -> None:
    harness = Harness(OrderFlow)

    order = await harness.run({"item_count": 3})

    assert "waiting" == order.status
    assert {"paid"} == order.waiting_steps
    assert {"validate_order", "charge_payment"} == order.completed_steps
    assert "orderid::1" == order.id


async def test_a_run_that_needs_nobody_ends_and_has_its_history() -> None:
    harness = Harness(OrderFlow)

    order = await harness.run({"item_count": 0}, value="abc")

    completed = [e.step for e in order.execution_history if e.action == "completed"]
    assert ("orderid::abc", "completed") == (order.id, order.status)
    assert ["validate_order", "done"] == completed


async def test_an_event_continues_the_run() -> None:
    harness = Harness(OrderFlow)
    await harness.run({"item_count": 3})

    order = await harness.resume("paid", {"receipt": "r-1"})

    assert "completed" == order.status
    assert {"receipt": "r-1"} == order.context.steps["paid"]


async def test_what_happens_may_be_told_in_advance() -> None:
    harness = Harness(OrderFlow)

    order = await harness.run({"item_count": 3}, events=[2 * DAY, ("paid", {"receipt": "r-1"})])

    assert "completed" == order.status
    assert 3 * DAY == harness.clock.now() - order.created_at


async def test_time_passes_only_when_the_test_says_so_while_an_event_could_come() -> None:
    harness = Harness(OrderFlow)
    before = await harness.run({"item_count": 3})

    early = await harness.advance(2 * DAY)
    late = await harness.advance(2 * DAY)

    assert ["waiting", "waiting", "completed"] == [before.status, early.status, late.status]
    assert 4 * DAY == harness.clock.now() - before.created_at
    assert 3 * DAY == late.execution_history[-1].timestamp - before.created_at


async def test_a_wait_passes_by_itself_and_takes_virtual_time() -> None:
    start = datetime(2031, 5, 1, tzinfo=UTC)
    harness = Harness(OrderFlow, clock=VirtualClock(start))

    order = await harness.run({"item_count": 3}, events=["paid"])

    assert start == order.created_at
    assert start + DAY == order.finished_at


async def test_a_wait_does_not_pass_while_another_step_asks_the_outside() -> None:
    harness = Harness(Branches)

    asked = await harness.run()
    answered = await harness.resume("yes")

    assert ("halted", {"amount": 30}) == (asked.status, asked.halt_data)
    assert {"review", "cool_off"} == asked.active_steps
    assert {"reviewed": True, "shipped": True} == answered.result


async def test_a_retry_comes_by_itself_even_while_another_step_asks_the_outside() -> None:
    harness = Harness(Branches, replace={ship: [ConnectionError("down"), {"shipped": True}]})

    run = await harness.run()

    assert {"review", "cool_off"} == run.active_steps
    assert [1, 2] == [attempt.number for attempt in harness.attempts_of(ship)]


async def test_a_stand_in_may_take_its_time() -> None:
    async def slow(ctx: StepContext) -> object:
        await harness.clock.advance(DAY)
        return "yes"

    harness = Harness(Branches, replace={review: slow})

    run = await harness.run()

    assert "completed" == run.status
    assert [("begin", 1), ("review", 1), ("ship", 1), ("join", 1)] == how_it_went(harness)
    assert DAY == harness.clock.now() - run.created_at


async def test_the_default_answer_of_a_halt_needs_no_name() -> None:
    harness = Harness(Branches)
    await harness.run()

    run = await harness.resume()

    assert "completed" == run.status
    assert ["no"] == [e.event for e in run.execution_history if e.action == "resumed"][:1]


async def test_the_attempts_show_what_each_body_was_given_and_what_it_came_to() -> None:
    harness = Harness(OrderFlow)

    order = await harness.run({"item_count": 3})

    (charged,) = harness.attempts_of(ChargePayment)
    assert {"item_count": 3} == charged.ctx[validate_order]
    assert f"{order.run_id}/charge_payment" == charged.ctx.idempotency_key
    assert Completed(event="charged", data=order.context.steps["charge_payment"]) == (
        charged.outcome
    )
    assert order.created_at == charged.at


async def test_branches_execute_one_after_the_other_in_the_order_of_their_declaration() -> None:
    harness = Harness(Branches)

    await harness.run(events=["yes"])

    assert ["begin", "review", "ship", "join"] == [attempt.step for attempt in harness.attempts]


async def test_branches_may_execute_at_the_same_time() -> None:
    meeting = asyncio.Barrier(2)

    async def meet(ctx: StepContext) -> object:
        await meeting.wait()
        return "yes" if ctx.instance.id and "review" in ctx.idempotency_key else "done"

    harness = Harness(Branches, replace={review: meet, ship: meet}, concurrent=True)

    run = await harness.run()

    assert "completed" == run.status


async def test_a_branch_that_fails_the_run_stops_those_that_have_not_begun() -> None:
    harness = Harness(Branches, replace={review: Fatal("no")})

    run = await harness.run()

    assert "failed" == run.status
    assert [("begin", 1), ("review", 1)] == how_it_went(harness)


async def test_what_was_stopped_goes_on_with_a_retry() -> None:
    harness = Harness(Branches, replace={review: [Fatal("no"), "yes"]})
    await harness.run()

    run = await harness.retry()

    assert "completed" == run.status


async def test_a_test_that_is_cancelled_stops_the_body() -> None:
    begun, stopped = asyncio.Event(), []

    async def hang(ctx: StepContext) -> object:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            stopped.append(ctx.attempt)
        return {}

    harness = Harness(OrderFlow, replace={ChargePayment: hang})
    test = asyncio.create_task(harness.run({"item_count": 3}))
    await begun.wait()
    test.cancel()
    with pytest.raises(asyncio.CancelledError):
        await test

    assert [1] == stopped
    assert [] == harness.attempts_of(ChargePayment)


async def test_a_run_can_be_cancelled() -> None:
    harness = Harness(OrderFlow)
    await harness.run({"item_count": 3})

    order = await harness.cancel()

    assert "cancelled" == order.status


async def test_an_event_for_a_run_that_has_ended_is_an_error() -> None:
    harness = Harness(OrderFlow)

    with pytest.raises(InstanceFinished):
        await harness.run({"item_count": 0}, events=["paid"])


async def test_only_a_failed_run_is_retried() -> None:
    harness = Harness(OrderFlow)
    await harness.run({"item_count": 3})

    with pytest.raises(NotRetryable):
        await harness.retry()


async def test_each_run_starts_afresh() -> None:
    harness = Harness(OrderFlow)
    first = await harness.run({"item_count": 3})

    second = await harness.run({"item_count": 0})

    assert first.run_id != second.run_id
    assert [("validate_order", 1)] == how_it_went(harness)


VERBS: dict[str, Callable[[Harness], Any]] = {
    "resume": lambda harness: harness.resume("paid"),
    "advance": lambda harness: harness.advance(1),
    "retry": lambda harness: harness.retry(),
    "cancel": lambda harness: harness.cancel(),
}


@pytest.mark.parametrize("verb", VERBS.values(), ids=VERBS)
async def test_there_is_nothing_to_steer_before_a_run(verb: Callable[[Harness], Any]) -> None:
    with pytest.raises(InvalidArgument, match="call run first"):
        await verb(Harness(OrderFlow))


class Versioned(Workflow, unique="versioned", current=1):
    class V1(Workflow, version=1):
        start_step = begin
        transitions = {begin: {"done": Done}}

    class V2(Workflow, version=2):
        start_step = ship
        transitions = {ship: {"done": Done}}


@pytest.mark.parametrize(("version", "step"), [(None, "begin"), (1, "begin"), (2, "ship")])
async def test_an_umbrella_runs_its_current_version_or_another(
    version: int | None, step: str
) -> None:
    harness = Harness(Versioned, version=version)

    await harness.run()

    assert [(step, 1)] == how_it_went(harness)

import asyncio
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hephaestus import (
    Choose,
    Done,
    Fatal,
    Halt,
    InstanceFinished,
    InvalidArgument,
    NotRetryable,
    Retry,
    Step,
    StepContext,
    Suspend,
    Wait,
    WaitForEvent,
    Workflow,
    step,
)
from hephaestus.outcome import Completed, Failed
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


async def test_a_value_stands_in_for_a_step() -> None:
    harness = Harness(OrderFlow, replace={ChargePayment: {"amount": 7}})

    order = await harness.run({"item_count": 3})

    assert {"amount": 7} == order.context.steps["charge_payment"]


async def fake_charge(ctx: StepContext) -> object:
    return {"amount": ctx["validate_order"]["item_count"]}


def plain_charge(ctx: StepContext) -> object:
    return {"amount": ctx["validate_order"]["item_count"]}


class FakeCharge(Step):
    async def execute(self, ctx: StepContext) -> object:
        return "charged", {"amount": 3}


REPLACEMENTS: dict[str, object] = {
    "async function": fake_charge,
    "plain function": plain_charge,
    "lambda": lambda ctx: ("charged", {"amount": 3}),
    "decorated async function": step(fake_charge),
    "decorated plain function": step(plain_charge),
    "step class": FakeCharge,
    "step": FakeCharge(),
    "tuple": ("charged", {"amount": 3}, {"source": "test"}),
}


@pytest.mark.parametrize("replacement", REPLACEMENTS.values(), ids=REPLACEMENTS)
@pytest.mark.parametrize("reference", [ChargePayment, "charge_payment"])
async def test_functions_and_steps_stand_in_for_a_step_under_its_key(
    replacement: object, reference: object
) -> None:
    harness = Harness(OrderFlow, replace={reference: replacement})

    order = await harness.run({"item_count": 3})

    assert {"amount": 3} == order.context.steps["charge_payment"]


async def test_an_event_stands_in_for_a_step() -> None:
    harness = Harness(OrderFlow, replace={validate_order: "invalid"})

    order = await harness.run({"item_count": 3})

    assert "completed" == order.status


@pytest.mark.parametrize("replacement", [ConnectionError("down"), ConnectionError], ids=repr)
async def test_an_exception_fails_every_attempt_by_the_policy_of_the_step(
    replacement: object,
) -> None:
    harness = Harness(OrderFlow, replace={ChargePayment: replacement})

    order = await harness.run({"item_count": 3})

    assert "failed" == order.status
    assert [1, 2, 3] == [attempt.number for attempt in harness.attempts_of(ChargePayment)]
    assert timedelta(hours=2) == harness.clock.now() - order.created_at


async def test_a_fatal_error_is_not_retried() -> None:
    harness = Harness(OrderFlow, replace={ChargePayment: Fatal("no card")})

    order = await harness.run({"item_count": 3})

    assert "failed" == order.status
    assert [Failed(type="Fatal", message="no card", fatal=True)] == [
        attempt.outcome for attempt in harness.attempts_of("charge_payment")
    ]


async def test_a_list_has_a_reply_for_each_attempt() -> None:
    replies = [ConnectionError("down"), {"amount": 5}]
    harness = Harness(OrderFlow, replace={ChargePayment: replies})

    order = await harness.run({"item_count": 3})

    assert {"amount": 5} == order.context.steps["charge_payment"]
    assert [("validate_order", 1), ("charge_payment", 1), ("charge_payment", 2)] == how_it_went(
        harness
    )


async def test_a_failed_run_is_taken_up_again_and_goes_on_with_the_list() -> None:
    replies = [Fatal("no card"), {"amount": 5}]
    harness = Harness(OrderFlow, replace={ChargePayment: replies})
    failed = await harness.run({"item_count": 3})

    order = await harness.retry()

    assert ("failed", "waiting") == (failed.status, order.status)
    assert {"amount": 5} == order.context.steps["charge_payment"]


async def test_a_halt_stands_in_and_its_answer_may_run_the_step_again() -> None:
    replies = [Halt(prompt="sure?", resume_to="charge_payment"), lambda ctx: ctx.answer]
    harness = Harness(OrderFlow, replace={ChargePayment: replies})
    await harness.run({"item_count": 3})

    order = await harness.resume(None, {"amount": 9})

    assert {"amount": 9} == order.context.steps["charge_payment"]


async def test_a_suspended_step_waits_for_its_event() -> None:
    harness = Harness(OrderFlow, replace={ChargePayment: Suspend()})
    waiting = await harness.run({"item_count": 3})

    order = await harness.resume("charged", {"amount": 4}, step=ChargePayment)

    assert {"charge_payment"} == waiting.waiting_steps
    assert {"amount": 4} == order.context.steps["charge_payment"]


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


async def test_a_choice_sees_what_the_stand_in_returned() -> None:
    def pick(ctx: StepContext) -> object:
        return ship if ctx[begin]["ship"] else Done

    class Chosen(Workflow, unique="chosen"):
        start_step = begin
        transitions = {begin: {"done": Choose(pick, [ship, Done])}, ship: {"done": Done}}

    long = await Harness(Chosen, replace={begin: {"ship": True}}).run()
    short = await Harness(Chosen, replace={begin: {"ship": False}}).run()

    assert [{"shipped": True}, {"ship": False}] == [long.result, short.result]


async def test_a_body_that_is_cancelled_by_itself_fails_its_attempt() -> None:
    harness = Harness(OrderFlow, replace={ChargePayment: [asyncio.CancelledError, {"amount": 1}]})

    order = await harness.run({"item_count": 3})

    assert {"amount": 1} == order.context.steps["charge_payment"]


async def test_a_test_that_is_cancelled_stops_the_body() -> None:
    begun, stopped = asyncio.Event(), []

    async def hang(ctx: StepContext) -> object:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            stopped.append(ctx.attempt)
        return {}

    test = asyncio.create_task(
        Harness(OrderFlow, replace={ChargePayment: hang}).run({"item_count": 3})
    )
    await begun.wait()
    test.cancel()
    with pytest.raises(asyncio.CancelledError):
        await test

    assert [1] == stopped


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


@step(transactional=True)
async def pay(ctx: StepContext) -> object:
    await ctx.session.execute("…")
    return None


class Transactional(Workflow, unique="transactional"):
    start_step = pay
    transitions = {pay: {"done": Done}}


@pytest.mark.parametrize(
    ("workflow", "replace", "complaint"),
    [
        (OrderFlow, {"charge_paymnt": "charged"}, "did you mean 'charge_payment'"),
        (OrderFlow, {ship: {}}, "no step 'ship' to replace"),
        (OrderFlow, {paid: "received"}, "'paid' has no body to replace"),
        (OrderFlow, {ChargePayment: []}, "'charge_payment' are empty"),
        (Transactional, {}, "'pay' is transactional"),
    ],
)
def test_what_cannot_be_replaced_or_has_to_be_is_said_at_once(
    workflow: type[Workflow], replace: Mapping[Any, object], complaint: str
) -> None:
    with pytest.raises(InvalidArgument, match=complaint):
        Harness(workflow, replace=replace)


async def test_a_transactional_step_can_be_replaced() -> None:
    run = await Harness(Transactional, replace={pay: {"paid": True}}).run()

    assert {"paid": True} == run.result


async def test_a_stand_in_that_returns_what_its_step_must_not_fails_the_run() -> None:
    run = await Harness(OrderFlow, replace={ChargePayment: "chraged"}).run({"item_count": 3})

    assert "failed" == run.status
    assert "did you mean 'charged'" in str(run.error)

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from hephaestus import (
    Choose,
    Done,
    Fatal,
    Halt,
    InvalidArgument,
    Retry,
    Step,
    StepContext,
    Suspend,
    WaitForEvent,
    Workflow,
    step,
)
from hephaestus.outcome import Failed
from hephaestus.testing import Harness


@step(events=("valid", "invalid"))
def validate_order(ctx: StepContext) -> object:
    count = ctx.initial["item_count"]
    return ("valid", {"item_count": count}) if count > 0 else "invalid"


class ChargePayment(Step):
    events = ("charged",)
    retry = Retry(max_attempts=3, initial_delay=timedelta(hours=1), backoff="constant", jitter=0)

    async def execute(self, ctx: StepContext) -> object:
        return {"amount": ctx[validate_order]["item_count"] * 10, "key": ctx.idempotency_key}


paid = WaitForEvent("paid")


class OrderFlow(Workflow, unique="orderid"):
    start_step = validate_order
    transitions = {
        validate_order: {"valid": ChargePayment, "invalid": Done},
        ChargePayment: {"charged": paid},
        paid: {"received": Done},
    }


@step
async def begin(ctx: StepContext) -> None:
    return None


@step
async def ship(ctx: StepContext) -> object:
    return {"shipped": True}


def how_it_went(harness: Harness) -> list[tuple[str, int]]:
    return [(attempt.step, attempt.number) for attempt in harness.attempts]


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

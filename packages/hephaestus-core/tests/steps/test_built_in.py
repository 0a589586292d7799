"""Done, Wait, WaitForEvent and Debug."""

import logging
from datetime import timedelta
from typing import Any

import pytest

from hephaestus.errors import DefinitionError, InvalidArgument
from hephaestus.outcome import Suspend
from hephaestus.steps import Debug, Done, Step, StepContext, Wait, WaitForEvent, as_step

CTX = StepContext({"a": 1}, {"s": {"b": 2}})


def test_done_ends_with_done_and_takes_no_event() -> None:
    done = as_step(Done)

    assert ("done", ("done",), "done") == (done.key, done.events, done.execute(CTX))
    assert (True, None) == (done.ends, done.takes("done"))


@pytest.mark.parametrize("duration", [90, 90.0, timedelta(seconds=90)])
def test_wait_suspends_for_its_duration(duration: Any) -> None:
    wait = Wait(duration)

    assert ("wait", ("timeout",)) == (wait.key, wait.events)
    assert Suspend(timedelta(seconds=90)) == wait.execute(CTX)


def test_two_waits_bear_two_keys() -> None:
    assert "cool_down" == Wait(1, key="cool_down").key


@pytest.mark.parametrize("duration", [-1, "1h", None, True, float("nan")])
def test_wait_refuses_what_is_no_duration(duration: Any) -> None:
    with pytest.raises(InvalidArgument, match=r"^Wait\(duration\) must"):
        Wait(duration)


def test_a_wait_can_be_ended_from_outside() -> None:
    assert "timeout" == Wait(1).takes("timeout")


def test_wait_for_event_is_named_like_its_event() -> None:
    paid = WaitForEvent("paid")

    assert ("paid", ("received",)) == (paid.key, paid.events)
    assert Suspend(None) == paid.execute(CTX)


def test_wait_for_event_declares_a_timeout_if_it_has_one() -> None:
    paid = WaitForEvent("paid", timeout=timedelta(days=3), key="payment")

    assert ("payment", ("received", "timeout")) == (paid.key, paid.events)
    assert Suspend(timedelta(days=3)) == paid.execute(CTX)


def test_wait_for_event_takes_its_name_and_what_it_declares() -> None:
    patient, impatient = WaitForEvent("paid"), WaitForEvent("paid", timeout=1)

    assert ["received", "received", None, None] == [
        patient.takes(event) for event in ("paid", "received", "timeout", "shipped")
    ]
    assert "timeout" == impatient.takes("timeout")


@pytest.mark.parametrize("name", ["", None, 5, "timeout", "a\n"])
def test_wait_for_event_refuses_what_no_event_can_be_called(name: Any) -> None:
    with pytest.raises(InvalidArgument, match="WaitForEvent takes the name of an event"):
        WaitForEvent(name)


def test_wait_for_event_needs_a_key_where_its_name_makes_none() -> None:
    with pytest.raises(DefinitionError, match="set key="):
        WaitForEvent("card paid")

    assert "received" == WaitForEvent("card paid", key="card_paid").takes("card paid")


@pytest.mark.parametrize("timeout", [-1, "1h", True])
def test_wait_for_event_refuses_what_is_no_timeout(timeout: Any) -> None:
    with pytest.raises(InvalidArgument, match=r"^timeout must"):
        WaitForEvent("paid", timeout=timeout)


def test_a_step_of_ones_own_may_build_on_a_built_in_one() -> None:
    class Approval(WaitForEvent):
        def __init__(self) -> None:
            super().__init__("approve", key="approval")
            self.events = ("received", "refused")

    approval = as_step(Approval)

    assert ("approval", "refused", "received") == (
        approval.key,
        approval.takes("refused"),
        approval.takes("approve"),
    )


@pytest.mark.parametrize("step", [as_step(Done), Wait(1), WaitForEvent("x")], ids=str)
def test_the_engine_settles_the_quick_ones(step: Step) -> None:
    assert step.settled
    assert not step.is_async


async def test_debug_logs_what_it_sees(caplog: pytest.LogCaptureFixture) -> None:
    debug = Debug()
    caplog.set_level(logging.DEBUG, logger="hephaestus.steps.debug")

    event = await debug.execute(CTX)

    assert ("completed", "debug", ("completed",)) == (event, debug.key, debug.events)
    assert [
        (
            "hephaestus.steps.debug",
            logging.DEBUG,
            "test::1: initial {'a': 1}, steps {'s': {'b': 2}}",
        )
    ] == caplog.record_tuples


def test_two_debug_steps_bear_two_keys() -> None:
    assert "look" == Debug(key="look").key

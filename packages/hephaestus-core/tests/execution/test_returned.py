"""What a step may return, and what stands for nothing."""

import enum
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, NamedTuple

import msgspec
import pytest

from hephaestus.codec import Codec
from hephaestus.errors import Fatal
from hephaestus.execution.returned import interpret
from hephaestus.outcome import Completed, Halt, Suspend
from hephaestus.steps import Step, StepContext


class Charge(Step):
    events = ("charged",)

    async def execute(self, ctx: StepContext) -> object:
        return None


class Decide(Step):
    events = ("accepted", "rejected", "timeout")

    async def execute(self, ctx: StepContext) -> object:
        return None


@dataclass
class Receipt:
    amount: int


class Slip(msgspec.Struct):
    amount: int


class Verdict(enum.StrEnum):
    ACCEPTED = "accepted"


class Pair(NamedTuple):
    event: Any
    data: Any


CODEC = Codec()
CHARGE, DECIDE = Charge(), Decide()


@pytest.mark.parametrize(
    ("returned", "data"),
    [
        (None, {}),
        ({}, {}),
        ({"amount": 3}, {"amount": 3}),
        (Receipt(3), {"amount": 3}),
        (Slip(3), {"amount": 3}),
        ("charged", {}),
        (("charged", None), {}),
        (("charged", {"amount": 3}), {"amount": 3}),
        (("charged", Receipt(3)), {"amount": 3}),
        (Pair("charged", {"amount": 3}), {"amount": 3}),
        (("charged", {"amount": 3}, None), {"amount": 3}),
    ],
    ids=repr,
)
def test_an_event_is_completed_with_its_data(returned: object, data: dict[str, Any]) -> None:
    outcome = interpret(CHARGE, returned, CODEC)

    assert Completed(event="charged", data=data) == outcome


def test_a_third_part_is_metadata() -> None:
    outcome = interpret(CHARGE, ("charged", {"amount": 3}, {"region": "eu"}), CODEC)

    assert Completed(event="charged", data={"amount": 3}, metadata={"region": "eu"}) == outcome


def test_of_several_events_the_named_one_is_taken() -> None:
    outcomes = [interpret(DECIDE, one, CODEC) for one in ("rejected", ("accepted", {"by": "eve"}))]

    assert [
        Completed(event="rejected"),
        Completed(event="accepted", data={"by": "eve"}),
    ] == outcomes


def test_an_enum_of_texts_names_the_declared_event() -> None:
    outcome = interpret(DECIDE, Verdict.ACCEPTED, CODEC)

    assert isinstance(outcome, Completed)
    assert ("accepted", str) == (outcome.event, type(outcome.event))


def test_data_are_what_will_be_read_back_and_not_the_bodys_own() -> None:
    items = [1, 2]

    outcome = interpret(CHARGE, {"items": items, "pair": (1, 2)}, CODEC)
    items.append(3)

    assert Completed(event="charged", data={"items": [1, 2], "pair": (1, 2)}) == outcome


def test_a_step_suspends_itself() -> None:
    outcomes = [
        interpret(CHARGE, Suspend(), CODEC),
        interpret(DECIDE, Suspend(timeout=90), CODEC),
    ]

    assert [Suspend(), Suspend(timeout=timedelta(seconds=90))] == outcomes


def test_a_step_halts_for_an_answer() -> None:
    halts = [
        Halt(),
        Halt({"amount": 3}, prompt="Pay?", resume_to="accepted"),
        Halt({"amount": 3}, resume_to="decide"),
    ]

    assert halts == [interpret(DECIDE, halt, CODEC) for halt in halts]


def test_halt_data_become_a_mapping() -> None:
    given: Any = Receipt(3)

    outcome = interpret(DECIDE, Halt(given), CODEC)

    assert Halt({"amount": 3}) == outcome


REFUSED: dict[str, tuple[object, str]] = {
    "a misspelt event": ("charge", "event 'charge', which it does not declare; did you mean 'ch"),
    "an unknown event": (("refunded", {}), "event 'refunded', which it does not declare"),
    "no name": ("", "returned the event ''"),
    "an empty tuple": ((), r"returned \(\); a tuple is \(event, data\)"),
    "a tuple of one": (("charged",), r"returned \(str\)"),
    "a tuple of four": (("charged", {}, {}, {}), r"returned \(str, dict, dict, dict\)"),
    "data before the event": (({}, "charged"), r"returned \(dict, str\)"),
    "a tuple without an event": ((None, {}), r"returned \(NoneType, dict\)"),
    "a number": (42, "step 'charge': its result cannot be stored: it is not a mapping but int"),
    "a truth": (True, "not a mapping but bool"),
    "a list": (["charged"], "not a mapping but list"),
    "bytes": (b"charged", "not a mapping but bytes"),
    "its own context": (StepContext({}), "not a mapping but StepContext"),
    "a class": (Charge, "not a mapping but"),
    "data that are a number": (("charged", 42), "step 'charge': its data cannot be stored"),
    "metadata that are a text": (("charged", {}, "eu"), "step 'charge': its metadata cannot be"),
    "an object within": ({"a": [{"b": object()}]}, r"result\['a'\]\[0\]\['b'\] cannot be stored"),
    "no number": ({"a": float("nan")}, r"its result\['a'\] cannot be stored"),
    "a NUL": ({"a": "\0"}, r"its result\['a'\] cannot be stored"),
    "a key that is no text": ({1: "a"}, "cannot be stored"),
    "too much": ({"a": "x" * 2**20}, "takes 10485.. bytes"),
    "a timeout that is not declared": (Suspend(timeout=5), "does not declare the event 'timeout'"),
    "an answer elsewhere": (Halt(resume_to="ship"), "halted with resume_to='ship'"),
    "a question of objects": (Halt({"a": object()}), r"'charge': its halt data\['a'\] cannot"),
}


@pytest.mark.parametrize(("returned", "complaint"), REFUSED.values(), ids=REFUSED)
def test_what_is_no_outcome_is_fatal_and_says_where(returned: object, complaint: str) -> None:
    with pytest.raises(Fatal, match=complaint):
        interpret(CHARGE, returned, CODEC)


@pytest.mark.parametrize("returned", [None, {}, {"by": "eve"}, Receipt(3)], ids=repr)
def test_where_several_events_are_declared_data_alone_is_fatal(returned: object) -> None:
    with pytest.raises(Fatal, match="returned no event and declares several: accepted, rejected"):
        interpret(DECIDE, returned, CODEC)

"""Keys and events: their form, and how a key is found."""

from enum import StrEnum
from typing import Any

import pytest

from hephaestus.errors import DefinitionError, InvalidArgument
from hephaestus.steps import Done, Step, StepContext, WaitForEvent, key_of, step
from hephaestus.steps.names import default_key, is_event_name


@pytest.mark.parametrize(
    ("class_name", "key"),
    [
        ("ChargePayment", "charge_payment"),
        ("HTTPCall", "http_call"),
        ("CallHTTP", "call_http"),
        ("CallHTTPAgain", "call_http_again"),
        ("Step2", "step2"),
        ("V2Import", "v2_import"),
        ("Ship", "ship"),
        ("already_snake", "already_snake"),
        ("_Private", "_private"),
    ],
)
def test_a_class_name_becomes_a_key_in_snake_case(class_name: str, key: str) -> None:
    assert key == default_key(class_name)


@pytest.mark.parametrize("key", ["a", "charge-payment", "a.b:c_D9", "x" * 200])
def test_a_key_may_be_given(key: str) -> None:
    @step(key=key)
    def named(ctx: StepContext) -> None: ...

    assert key == named.key


@pytest.mark.parametrize("key", ["", "a b", "a/b", "é", "a\n", "x" * 201, 5, ["a"]])
def test_a_key_that_could_not_be_stored_or_shown_is_refused(key: Any) -> None:
    with pytest.raises(DefinitionError, match=r"named: key must be 1 to 200 letters"):

        @step(key=key)
        def named(ctx: StepContext) -> None: ...


def test_a_class_whose_name_makes_no_key_is_told_to_set_one() -> None:
    with pytest.raises(DefinitionError, match=r"step .*Überweisung: key must be .* set key="):

        class Überweisung(Step):  # noqa: PLC2401  # the point of the test
            def execute(self, ctx: StepContext) -> None: ...


def test_no_other_step_may_be_called_done() -> None:
    with pytest.raises(DefinitionError, match="the key 'done' is reserved"):

        @step
        def done(ctx: StepContext) -> None: ...

    with pytest.raises(DefinitionError, match="the key 'done' is reserved"):
        WaitForEvent("done")


@pytest.mark.parametrize("events", [["a", "b"], ("a", "b")])
def test_events_become_a_tuple(events: Any) -> None:
    @step(events=events)
    def choice(ctx: StepContext) -> str:
        return "a"

    assert ("a", "b") == choice.events


def test_members_of_an_enum_of_texts_become_plain_events() -> None:
    class Answer(StrEnum):
        YES = "yes"

    @step(events=(Answer.YES,))
    def choice(ctx: StepContext) -> Answer:
        return Answer.YES

    answer = WaitForEvent(Answer.YES)

    assert ("yes",) == choice.events
    assert [str] * 3 == [type(choice.events[0]), type(answer.name), type(answer.key)]


@pytest.mark.parametrize(
    "events", ["paid", [], (), None, {"a"}, ["a", "a"], [""], ["a", 5], ["a\0"], ["\ud800"]]
)
def test_events_that_are_no_list_of_distinct_names_are_refused(events: Any) -> None:
    with pytest.raises(DefinitionError, match=r"choice: (events|an event)"):

        @step(events=events)
        def choice(ctx: StepContext) -> str:
            return "a"


def test_an_event_may_be_any_printable_text() -> None:
    assert is_event_name("Zahlung für 42 € fehlt")


def test_a_key_is_found_by_class_instance_function_config_and_itself() -> None:
    class Charge(Step):
        def execute(self, ctx: StepContext) -> None: ...

    @step
    def ship(ctx: StepContext) -> None: ...

    references = [Charge, Charge(), Charge.using(a=1), ship, ship.using(a=1), Done, "refund"]

    keys = [key_of(reference) for reference in references]

    assert ["charge", "charge", "charge", "ship", "ship", "done", "refund"] == keys


@pytest.mark.parametrize("reference", [None, 5, print, object])
def test_what_stands_for_no_step_has_no_key(reference: object) -> None:
    with pytest.raises(InvalidArgument, match="is not a step"):
        key_of(reference)

"""Targets as they are written, and the choice among them."""

from collections.abc import Callable
from typing import Any

import pytest

from hephaestus.errors import DefinitionError, Fatal
from hephaestus.steps import Done, FunctionStep, Step, StepContext, Wait, as_step
from hephaestus.transitions import Choose, by_key, read_steps

CTX = StepContext({"country": "de"})


def named(key: str) -> FunctionStep[[StepContext], None]:
    return FunctionStep(lambda _: None, key=key)


mail, post, fax = named("mail"), named("post"), named("fax")


class Call(Step):
    def execute(self, ctx: StepContext) -> None: ...


def test_a_target_is_a_step_a_step_with_config_or_a_list_of_those() -> None:
    assert {"mail": None} == by_key(read_steps(mail, "here"))
    assert {"call": {"n": 1}} == by_key(read_steps(Call.using(n=1), "here"))
    assert {"post": None, "call": None, "mail": {"n": 1}} == by_key(
        read_steps((post, Call, mail.using(n=1)), "here")
    )


def test_targets_keep_the_order_of_their_declaration() -> None:
    assert ["post", "call", "mail"] == list(by_key(read_steps([post, Call, mail], "here")))


@pytest.mark.parametrize(
    ("target", "why"),
    [
        ([], "the list of targets is empty"),
        ([mail, mail], "the target 'mail' is listed twice"),
        ([Call, Call.using(n=1)], "the target 'call' is listed twice"),
        (None, "None is not a step"),
        ("mail", "'mail' is not a step"),
        ([mail, [post]], "is not a step"),
        (Wait, "step Wait cannot be made without arguments"),
        ([Choose(lambda _: mail, [mail])], "a Choose stands alone"),
    ],
    ids=range(8),
)
def test_what_is_no_target_is_refused(target: object, why: str) -> None:
    with pytest.raises(DefinitionError, match=f"^here: .*{why}"):
        read_steps(target, "here")


def pick(function: Callable[[Any], Any], *targets: Any) -> dict[str, Any]:
    return Choose(function, list(targets)).pick(CTX)


def test_a_choice_is_made_from_what_the_step_saw() -> None:
    choice = Choose(lambda ctx: post if ctx.initial["country"] == "de" else mail, [mail, post])

    assert {"post": None} == choice.pick(CTX)


def test_several_may_be_chosen_and_come_in_the_order_of_their_declaration() -> None:
    chosen = pick(lambda _: [fax, mail], mail, post, fax)

    assert [("mail", None), ("fax", None)] == list(chosen.items())


def test_a_bare_step_takes_the_config_that_is_declared_for_it() -> None:
    assert {"mail": {"n": 1}} == pick(lambda _: mail, mail.using(n=1), post)


def test_a_choice_may_bring_config_of_its_own() -> None:
    assert {"mail": {"n": 2}} == pick(lambda _: (mail.using(n=2),), mail.using(n=1), post)


def test_a_class_and_done_can_be_chosen() -> None:
    assert {"call": None} == pick(lambda _: Call, Call, Done)
    assert {"done": None} == pick(lambda _: Done(), Call, Done)


@pytest.mark.parametrize(
    ("function", "why"),
    [
        (lambda _: None, r"Choose\(.*\) chose nothing"),
        (lambda _: [], "chose nothing"),
        (lambda _: fax, r"returned 'fax', which it does not declare; .* it declares mail, post"),
        (lambda _: named("mial"), "returned 'mial'.*; did you mean 'mail'?"),
        (lambda _: [mail, Wait(1)], "returned 'wait'"),
        (lambda _: "mail", "returned no step: 'mail' is not a step"),
        (lambda _: 5, "returned no step: 5"),
        (lambda ctx: ctx["nothing"], "raised NoResult: step 'step' sees no result of 'nothing'"),
        (lambda _: 1 / 0, "raised ZeroDivisionError: division by zero"),
    ],
    ids=range(9),
)
def test_a_choice_that_is_none_fails_for_good(function: Callable[[Any], Any], why: str) -> None:
    with pytest.raises(Fatal, match=why.replace("; .* it", "; it")):
        pick(function, mail, post)


def test_the_cause_of_a_failed_choice_is_kept() -> None:
    with pytest.raises(Fatal) as caught:
        pick(lambda _: 1 / 0, mail)

    assert isinstance(caught.value.__cause__, ZeroDivisionError)


def test_a_choice_may_fail_for_a_reason_of_its_own() -> None:
    def refuse(ctx: StepContext) -> Step:
        raise Fatal("no such country")

    with pytest.raises(Fatal, match=r"^no such country$"):
        pick(refuse, mail)


def test_a_choice_that_turns_out_to_be_a_coroutine_fails_for_good() -> None:
    async def choose(ctx: StepContext) -> Step:
        return mail

    with pytest.raises(Fatal, match="returned a coroutine"):
        pick(lambda ctx: choose(ctx), mail)  # noqa: PLW0108  # hides that it is async


def test_an_async_function_is_refused_at_definition() -> None:
    async def choose(ctx: StepContext) -> Step:
        return mail

    with pytest.raises(DefinitionError, match=r"Choose\(.*choose\): the function must be plain"):
        Choose(choose, [mail]).steps  # noqa: B018  # reading it is the act


@pytest.mark.parametrize(
    ("targets", "why"),
    [
        (mail, "give its targets as a list"),
        ({mail}, "give its targets as a list"),
        ([], "the list of targets is empty"),
        ([mail, mail.using(n=1)], "listed twice"),
        ([5], "5 is not a step"),
    ],
    ids=range(5),
)
def test_targets_of_a_choice_that_are_no_list_of_steps_are_refused(targets: Any, why: str) -> None:
    with pytest.raises(DefinitionError, match=why):
        Choose(lambda _: mail, targets).steps  # noqa: B018  # reading it is the act


def test_a_choice_needs_a_function() -> None:
    with pytest.raises(DefinitionError, match="it takes a function of ctx first"):
        Choose([mail], lambda _: mail).steps  # type: ignore[arg-type]  # noqa: B018


def test_a_choice_shows_its_targets_by_step_and_by_key() -> None:
    choice = Choose(lambda _: mail, [mail, Call.using(n=1)])

    assert {mail: None, as_step(Call): {"n": 1}} == choice.steps
    assert {"mail": None, "call": {"n": 1}} == choice.declared

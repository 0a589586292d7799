"""Steps as decorated functions."""

import functools
from datetime import timedelta
from typing import Any

import pytest

from hephaestus.errors import DefinitionError
from hephaestus.retry import Retry
from hephaestus.steps import FunctionStep, Step, StepContext, as_step, step


@step
async def validate_order(ctx: StepContext) -> str:
    """Check the order."""
    return "done" if ctx.initial else "never"


@step(events=("sent", "lost"), key="mail", retry=Retry(2), timeout=5)
def send(ctx: StepContext, again: bool = False) -> str:
    return "lost" if again else "sent"


def test_a_bare_decorator_makes_a_step_named_like_the_function() -> None:
    assert isinstance(validate_order, Step)
    assert ("validate_order", ("done",)) == (validate_order.key, validate_order.events)


def test_options_are_what_a_class_would_declare() -> None:
    assert ("mail", ("sent", "lost"), Retry(2), timedelta(seconds=5)) == (
        send.key,
        send.events,
        send.retry,
        send.timeout,
    )


def test_a_decorated_function_can_be_called_as_it_was_written() -> None:
    assert "lost" == send(StepContext({}), again=True)


async def test_a_decorated_coroutine_function_can_be_awaited() -> None:
    assert "done" == await validate_order(StepContext({"a": 1}))


def test_executing_the_step_calls_the_function() -> None:
    assert "sent" == send.execute(StepContext({}))


def test_the_function_keeps_its_name_and_documentation() -> None:
    assert "validate_order" == validate_order.__name__  # type: ignore[attr-defined]
    assert "Check the order." == validate_order.__doc__
    assert f"{__name__}.validate_order" == validate_order.type_name


def test_a_step_stands_for_itself_and_is_told_from_others_by_identity() -> None:
    assert validate_order is as_step(validate_order)
    assert 2 == len({validate_order: 1, send: 2})


def test_a_decorated_function_knows_whether_it_is_async() -> None:
    assert (True, False) == (validate_order.is_async, send.is_async)


def test_using_works_on_a_decorated_function() -> None:
    configured = send.using(to="ops")

    assert (send, {"to": "ops"}) == (configured.step, configured.config)


def test_a_transactional_function_must_be_async() -> None:
    with pytest.raises(DefinitionError, match=r"send: a transactional step must be .*async def"):
        step(transactional=True)(send.__wrapped__)


def test_a_generator_function_is_refused() -> None:
    with pytest.raises(DefinitionError, match="it yields"):

        @step
        def stream(ctx: StepContext) -> Any:
            yield "done"


def test_a_function_without_a_usable_name_needs_a_key() -> None:
    with pytest.raises(DefinitionError, match="set key="):
        step(lambda ctx: None)
    with pytest.raises(DefinitionError, match="set key="):
        step(functools.partial(send.__wrapped__, again=True))

    assert "again" == step(key="again")(functools.partial(send.__wrapped__, again=True)).key


@pytest.mark.parametrize("thing", [Step, validate_order, 5, "send"])
def test_only_functions_are_decorated(thing: Any) -> None:
    with pytest.raises(DefinitionError, match="@step decorates functions"):
        step(thing)


def test_an_unknown_option_is_refused() -> None:
    with pytest.raises(
        DefinitionError, match=r"@step has no option 'event'; did you mean 'events'\? \(options: e"
    ):
        step(event=("sent",))  # type: ignore[call-overload]  # wrong on purpose


def test_events_that_are_given_without_their_name_are_refused_with_the_way_out() -> None:
    with pytest.raises(DefinitionError, match=r"write @step\(events=\('ok',\)\)"):
        step("ok")  # type: ignore[call-overload]  # wrong on purpose


def nothing() -> None: ...


def too_much(ctx: StepContext, x: int) -> None: ...


def by_name_only(*, ctx: StepContext) -> None: ...


@pytest.mark.parametrize("function", [nothing, too_much, by_name_only])
def test_a_function_that_takes_more_or_less_than_ctx_is_refused(function: Any) -> None:
    with pytest.raises(DefinitionError, match=rf"{function.__name__}: it must take exactly ctx: "):
        step(function)


def test_what_can_be_called_with_ctx_is_a_step_whatever_else_it_takes() -> None:
    @functools.wraps(too_much)
    def wrapper(ctx: StepContext) -> None:
        too_much(ctx, 5)

    def anything(*args: Any, **kwargs: Any) -> None: ...

    for function in (wrapper, anything, functools.partial(too_much, x=1), print, max):
        assert "s" == step(key="s")(function).key


def test_a_step_made_of_a_function_shows_its_key() -> None:
    assert "<step 'mail'>" == repr(send)
    assert isinstance(send, FunctionStep)

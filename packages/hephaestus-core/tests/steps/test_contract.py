"""Steps as classes: what they declare, and how they are referred to."""

import functools
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from hephaestus.errors import DefinitionError, InvalidArgument, NotSerializable
from hephaestus.retry import Retry
from hephaestus.steps import Configured, Step, StepContext, Wait, as_step


class Charge(Step):
    events = ["charged", "declined"]  # users write lists
    retry = Retry(3)
    timeout = 30

    async def execute(self, ctx: StepContext) -> str:
        return "charged"


class Bare(Step):
    def execute(self, ctx: StepContext) -> None: ...


def test_a_step_declares_nothing_but_its_body() -> None:
    assert ("bare", ("done",), None, None, False, False) == (
        Bare.key,
        Bare.events,
        Bare.retry,
        Bare.timeout,
        Bare.transactional,
        Bare.settled,
    )


def test_declared_attributes_are_brought_to_one_form() -> None:
    assert ("charged", "declined") == tuple(Charge.events)
    assert timedelta(seconds=30) == Charge.timeout == Charge().time_limit


def test_a_step_without_a_timeout_has_no_time_limit() -> None:
    assert Bare().time_limit is None


def test_a_subclass_has_a_key_of_its_own_unless_one_was_given() -> None:
    class Named(Charge):
        key = "pay"

    class BareAgain(Charge): ...

    class NamedAgain(Named): ...

    assert ("pay", "bare_again", "pay") == (Named.key, BareAgain.key, NamedAgain.key)
    assert "charge" == Charge.key


@pytest.mark.parametrize(
    ("field", "value", "why"),
    [
        ("key", "a b", "key must be"),
        ("events", "charged", r"events must be a list or tuple .*; write \('charged',\)$"),
        ("retry", 3, "retry must be a Retry"),
        ("timeout", -1, "timeout must not be negative"),
        ("timeout", 0, "timeout must be more than 0"),
        ("timeout", "30s", "timeout must be a timedelta"),
        ("transactional", "yes", "transactional must be True or False"),
        ("execute", "charged", "execute must be a method"),
    ],
)
def test_a_wrong_attribute_is_refused_where_the_class_is_defined(
    field: str, value: Any, why: str
) -> None:
    body = {"execute": Charge.execute, field: value}

    with pytest.raises(DefinitionError, match=f"step Refund: {why}"):
        type("Refund", (Step,), body)


def test_a_wrong_attribute_set_by_a_constructor_is_refused_where_the_step_is_used() -> None:
    class Refund(Charge):
        def __init__(self) -> None:
            self.events = ["refunded", "refunded"]

    with pytest.raises(DefinitionError, match=r"Refund: events names one twice"):
        as_step(Refund)


def test_a_transactional_step_must_be_async() -> None:
    with pytest.raises(DefinitionError, match="must be written with `async def`"):

        class Book(Step):
            transactional = True

            def execute(self, ctx: StepContext) -> None: ...


def test_a_transactional_step_may_be_completed_by_a_subclass() -> None:
    class Transactional(Step):
        transactional = True

    class Book(Transactional):
        async def execute(self, ctx: StepContext) -> None: ...

    assert as_step(Book).transactional


def test_a_body_that_yields_is_refused() -> None:
    with pytest.raises(DefinitionError, match="it yields"):

        class Stream(Step):
            async def execute(self, ctx: StepContext) -> Any:
                yield "done"


def test_a_body_that_takes_more_or_less_than_ctx_is_refused() -> None:
    with pytest.raises(DefinitionError, match=r"Nothing: it must take exactly self and ctx: too"):

        class Nothing(Step):
            def execute(self) -> None: ...  # type: ignore[override]  # wrong on purpose

    with pytest.raises(DefinitionError, match=r"Much: it must take exactly self and ctx: missing"):

        class Much(Step):
            def execute(self, ctx: StepContext, x: int) -> None: ...  # type: ignore[override]


def test_a_body_may_be_bound_in_any_way() -> None:
    class Static(Step):
        @staticmethod
        def execute(ctx: StepContext) -> None: ...

    class OfTheClass(Step):
        @classmethod
        def execute(cls, ctx: StepContext) -> None: ...

    class Partly(Step):
        def work(self, ctx: StepContext, x: int) -> None: ...

        execute = functools.partialmethod(work, x=1)

    class Wrong(Step):
        @staticmethod
        def execute(ctx: StepContext, x: int) -> None: ...  # type: ignore[override]

    assert ["static", "of_the_class", "partly"] == [
        as_step(made).key for made in (Static, OfTheClass, Partly)
    ]
    with pytest.raises(DefinitionError, match=r"Wrong: it must take exactly ctx: missing"):
        as_step(Wrong)


def test_a_step_without_a_body_is_refused_where_it_is_used() -> None:
    class Empty(Step): ...

    with pytest.raises(DefinitionError, match=r"Empty has no execute; write `async def"):
        as_step(Empty)


def test_a_class_stands_for_one_shared_instance() -> None:
    assert as_step(Charge) is as_step(Charge)
    assert isinstance(as_step(Charge), Charge)


def test_a_subclass_does_not_share_the_instance_of_its_base() -> None:
    as_step(Charge)

    class Again(Charge): ...

    assert Again is type(as_step(Again))


def test_a_class_has_the_key_that_its_shared_instance_sets() -> None:
    class Keyed(Bare):
        def __init__(self) -> None:
            self.key = "set_late"

    as_step(Keyed)

    assert "set_late" == Keyed.key


def test_an_instance_stands_for_itself() -> None:
    charge = Charge()

    assert charge is as_step(charge) is as_step(charge.using(a=1))


def test_a_class_that_needs_arguments_is_refused_with_the_way_out() -> None:
    with pytest.raises(DefinitionError, match=r"step Wait cannot be made without arguments .*x = "):
        as_step(Wait)


@pytest.mark.parametrize(
    ("reference", "why"),
    [
        (5, "5 is not a step; give a Step subclass"),
        ("charge", "'charge' is not a step"),
        (None, "None is not a step"),
        (int, "int is not a step; give a Step subclass"),
        (len, "len is not a step; decorate it with @step"),
    ],
)
def test_what_is_no_step_is_refused(reference: object, why: str) -> None:
    with pytest.raises(DefinitionError, match=f"^{why}"):
        as_step(reference)


def test_using_gives_a_target_with_config_from_a_class_and_from_an_instance() -> None:
    charge = Charge()

    assert Configured(as_step(Charge), {"retries": (1, 2)}) == Charge.using(retries=(1, 2))
    assert charge.using(a=1).step is charge
    assert {"self": 1, "step": 2} == Charge.using(self=1, step=2).config


def test_config_without_a_name_is_refused_with_the_way_out() -> None:
    with pytest.raises(InvalidArgument, match=r"the config of charge goes by name, as using\(am"):
        Charge.using(1)


def test_config_is_copied_when_it_is_given() -> None:
    limits = [1, 2]

    configured = Charge.using(limits=limits)
    limits.append(3)

    assert {"limits": [1, 2]} == configured.config


def test_config_that_cannot_be_stored_is_refused_at_the_call() -> None:
    with pytest.raises(NotSerializable, match=r"the config of charge\['at'\]\[0\]"):
        Charge.using(at=[object()])


def test_a_target_with_config_can_stand_in_a_set() -> None:
    assert 1 == len({Charge.using(a=[1]), Charge.using(a=[1])})


def test_a_step_says_where_it_is_defined() -> None:
    assert f"{__name__}.Charge" == Charge().type_name


def plain(ctx: object) -> None: ...


async def coroutine(ctx: object) -> None: ...


def logged(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def wrapper(*args: Any) -> Any:
        return function(*args)

    return wrapper


class AsyncCall:
    async def __call__(self, ctx: object) -> None: ...


class PlainCall:
    def __call__(self, ctx: object) -> None: ...


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (plain, False),
        (coroutine, True),
        (logged(plain), False),
        (logged(coroutine), True),
        (functools.partial(coroutine), True),
        (functools.partial(plain), False),
        (logged(functools.partial(logged(coroutine))), True),
        (AsyncCall(), True),
        (PlainCall(), False),
        (functools.partial(AsyncCall()), True),
    ],
    ids=range(10),
)
def test_a_step_knows_whether_its_body_is_async(body: Callable[..., Any], expected: bool) -> None:
    step = as_step(type("Wrapped", (Step,), {"execute": staticmethod(body)}))

    assert expected == step.is_async


def test_an_undecorated_method_is_async_when_it_says_so() -> None:
    assert (True, False) == (Charge().is_async, Bare().is_async)


def test_a_step_takes_the_events_that_it_declares() -> None:
    assert ("charged", None) == (Charge().takes("charged"), Charge().takes("paid"))

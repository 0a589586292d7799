"""A function as a step: `@step`."""

import functools
from collections.abc import Callable, Sequence
from typing import Any, Generic, ParamSpec, TypeVar, overload

from hephaestus.duration import Duration
from hephaestus.errors import DefinitionError
from hephaestus.nearest import no_option
from hephaestus.retry import Retry
from hephaestus.steps.context import StepContext
from hephaestus.steps.contract import Step, as_step

P = ParamSpec("P")
R = TypeVar("R")

_OPTIONS = ("events", "key", "retry", "timeout", "transactional")


class FunctionStep(Step, Generic[P, R]):
    """A decorated function; called, it is the function itself, as unit tests want it."""

    def __init__(
        self,
        function: Callable[P, R],
        *,
        events: Sequence[str] = ("done",),
        key: str | None = None,
        retry: Retry | None = None,
        timeout: Duration | None = None,
        transactional: bool = False,
    ) -> None:
        """Take a function of `ctx`; its name is the key unless one is given."""
        functools.update_wrapper(self, function, updated=())
        self.__wrapped__ = function
        self.key = getattr(function, "__name__", "") if key is None else key
        self.events = events
        self.retry = retry
        self.timeout = timeout
        self.transactional = transactional

    def execute(self, ctx: StepContext) -> object:
        """Call the function."""
        function: Callable[..., object] = self.__wrapped__
        return function(ctx)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Call the function as it was written."""
        return self.__wrapped__(*args, **kwargs)

    @property
    def body(self) -> Callable[..., object]:
        """The function."""
        return self.__wrapped__

    @functools.cached_property
    def type_name(self) -> str:
        """Where the function is defined: module and name."""
        name = getattr(self.__wrapped__, "__qualname__", self.key)
        return f"{getattr(self.__wrapped__, '__module__', '?')}.{name}"


@overload
def step(function: Callable[P, R], /) -> FunctionStep[P, R]: ...


@overload
def step(
    *,
    events: Sequence[str] = ...,
    key: str | None = ...,
    retry: Retry | None = ...,
    timeout: Duration | None = ...,
    transactional: bool = ...,
) -> Callable[[Callable[P, R]], FunctionStep[P, R]]: ...


def step(function: Callable[..., Any] | None = None, /, **options: Any) -> Any:
    """Make a step of a function of `ctx`; bare, or with what a Step subclass would declare.

    Args:
        options: `events`, `key`, `retry`, `timeout` and `transactional`, as on `Step`.

    Raises:
        DefinitionError: What it decorates is no function, or an option is not sound.
    """
    for name in options:
        if name not in _OPTIONS:
            raise DefinitionError(no_option("@step", name, _OPTIONS))
    if function is None:
        return functools.partial(_decorated, **options)
    return _decorated(function, **options)


def _decorated(function: Callable[P, R], **options: Any) -> FunctionStep[P, R]:
    if isinstance(function, type | Step) or not callable(function):
        remedy = "a class becomes a step by subclassing Step"
        if isinstance(function, str):
            remedy = f"for its events write @step(events=({function!r},))"
        raise DefinitionError(f"@step decorates functions, not {function!r}; {remedy}")
    made = FunctionStep(function, **options)
    as_step(made)
    return made

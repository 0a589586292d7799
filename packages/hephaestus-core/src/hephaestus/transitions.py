"""What follows an event of a step: targets, or a choice among them."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import msgspec

from hephaestus.errors import DefinitionError, Fatal
from hephaestus.nearest import did_you_mean
from hephaestus.steps import Configured, Step, StepContext, StepReference, as_step
from hephaestus.steps.body import is_coroutine_function

Target: TypeAlias = StepReference | Configured
"""One step that may come next, with config or without."""

Targets: TypeAlias = Mapping[str, dict[str, Any] | None]
"""The steps that come next, by key in the order of their declaration, with their config."""


class Edge(msgspec.Struct, frozen=True, kw_only=True):
    """One transition of a proven graph."""

    source: str
    event: str
    targets: tuple[str, ...]
    dynamic: bool
    """The targets are what a `Choose` may pick, not what always comes next."""


class Choose:
    """A target that is picked, among declared ones, by a plain and quick function of `ctx`.

    The function sees what its step sees, and the result of the step itself. It returns one of
    the targets or a list of them; a bare step takes the config that is declared for it.
    """

    __slots__ = ("_declared", "_steps", "function", "targets")

    def __init__(
        self, function: Callable[[StepContext], object], targets: Sequence[Target]
    ) -> None:
        """Take the function and every target that it may return."""
        self.function = function
        self.targets = targets
        self._steps: dict[Step, dict[str, Any] | None] | None = None
        self._declared: Targets | None = None

    @property
    def steps(self) -> Mapping[Step, dict[str, Any] | None]:
        """The declared targets with their config.

        Raises:
            DefinitionError: The function or the targets are not sound.
        """
        if self._steps is None:
            where = f"Choose({_name(self.function)})"
            _check_function(self.function, where)
            if not isinstance(self.targets, list | tuple):
                raise DefinitionError(f"{where}: give its targets as a list of steps")
            self._steps = read_steps(self.targets, where)
        return self._steps

    @property
    def declared(self) -> Targets:
        """The declared targets by key; raises as `steps` does."""
        if self._declared is None:
            self._declared = by_key(self.steps)
        return self._declared

    def pick(self, ctx: StepContext) -> dict[str, dict[str, Any] | None]:
        """Return the chosen steps, in the order of their declaration, with their config.

        Raises:
            Fatal: The function raised, or returned what is not declared.
        """
        name = _name(self.function)
        try:
            answer = self.function(ctx)
        except Fatal:
            raise
        except Exception as error:
            raise Fatal(f"Choose({name}) raised {type(error).__name__}: {error}") from error
        chosen = dict(self._read(item, name) for item in _as_list(answer, name))
        return {key: chosen[key] for key in self.declared if key in chosen}

    def _read(self, item: object, name: str) -> tuple[str, dict[str, Any] | None]:
        try:
            key = as_step(item).key
        except DefinitionError as error:
            raise Fatal(f"Choose({name}) returned no step: {error}") from error
        if key not in self.declared:
            raise Fatal(
                f"Choose({name}) returned {key!r}, which it does not declare"
                f"{did_you_mean(key, self.declared)}; it declares {', '.join(self.declared)}"
            )
        return key, item.config if isinstance(item, Configured) else self.declared[key]

    def __repr__(self) -> str:
        return f"<Choose({_name(self.function)})>"


def read_steps(target: object, where: str) -> dict[Step, dict[str, Any] | None]:
    """Return the steps of a target or a list of them, with their config.

    Raises:
        DefinitionError: One of them is no step, a list is empty or names a step twice.
    """
    items = target if isinstance(target, list | tuple) else [target]
    if not items:
        raise DefinitionError(f"{where}: the list of targets is empty; end a path with Done")
    found: dict[Step, dict[str, Any] | None] = {}
    for item in items:
        step = _read_step(item, where)
        if step in found:
            raise DefinitionError(f"{where}: the target {step.key!r} is listed twice")
        found[step] = item.config if isinstance(item, Configured) else None
    return found


def by_key(steps: Mapping[Step, dict[str, Any] | None]) -> Targets:
    """Return targets by the keys of their steps."""
    return {step.key: config for step, config in steps.items()}


def _read_step(item: object, where: str) -> Step:
    if isinstance(item, Choose):
        raise DefinitionError(
            f"{where}: a Choose stands alone; let its function return every step that comes next"
        )
    try:
        return as_step(item)
    except DefinitionError as error:
        raise DefinitionError(f"{where}: {error}") from error


def _check_function(function: object, where: str) -> None:
    if not callable(function):
        raise DefinitionError(f"{where}: it takes a function of ctx first, then the targets")
    if is_coroutine_function(function):
        raise DefinitionError(f"{where}: the function must be plain, not `async def`")


def _as_list(answer: object, name: str) -> Sequence[object]:
    if inspect.iscoroutine(answer):
        answer.close()
        raise Fatal(f"Choose({name}) returned a coroutine; its function must be plain")
    items = answer if isinstance(answer, list | tuple) else [answer]
    if answer is None or not items:
        raise Fatal(f"Choose({name}) chose nothing; it must return a declared target")
    return items


def _name(function: object) -> str:
    return getattr(function, "__qualname__", None) or repr(function)

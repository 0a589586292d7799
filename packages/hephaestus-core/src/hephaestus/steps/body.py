"""How a step's `execute` may be written."""

import functools
import inspect
from collections.abc import Callable
from typing import Any

from hephaestus.errors import DefinitionError


def is_coroutine_function(function: object) -> bool:
    """Tell whether calling it gives a coroutine; looks through decorators, partials, objects."""
    body = _unwrapped(function)
    call = type(body).__call__ if callable(body) else None
    return inspect.iscoroutinefunction(body) or inspect.iscoroutinefunction(call)


def check_body(execute: object, where: str, *, transactional: bool) -> None:
    """Refuse an `execute` that cannot be called, yields, or is plain where it must not be."""
    if not callable(execute):
        raise DefinitionError(f"{where}: execute must be a method, got {execute!r}")
    body = _unwrapped(execute)
    if inspect.isgeneratorfunction(body) or inspect.isasyncgenfunction(body):
        raise DefinitionError(f"{where}: it yields, and must return its event instead")
    if transactional and not is_coroutine_function(execute):
        raise DefinitionError(f"{where}: a transactional step must be written with `async def`")


def check_signature(execute: Callable[..., object], where: str, *names: str) -> None:
    """Refuse an `execute` that cannot be called with these arguments and nothing else."""
    try:
        # Whoever wraps a function may add arguments, so what counts is the wrapper's own.
        signature = inspect.signature(execute, follow_wrapped=False)
    except (TypeError, ValueError):
        return  # Some callables that are written in C do not tell.
    try:
        signature.bind(*names)
    except TypeError as error:
        raise DefinitionError(
            f"{where}: it must take exactly {' and '.join(names)}: {error}"
        ) from error


def _unwrapped(function: Any) -> Any:
    while not inspect.iscoroutinefunction(function):
        if isinstance(function, functools.partial):
            function = function.func
        elif hasattr(function, "__wrapped__"):
            function = function.__wrapped__
        else:
            break
    return function

"""The contract of a connector: named actions on a system outside, for steps to call.

The engine never calls a connector. A step does, and decides what a refusal means for its run.
"""

import inspect
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, TypeAlias

import msgspec

from hephaestus.errors import DefinitionError


class Success(msgspec.Struct, frozen=True):
    """The action was carried out."""

    data: Mapping[str, Any] = msgspec.field(default_factory=dict)
    """What the system answered, in its own shape."""


class Refused(msgspec.Struct, frozen=True):
    """The action was not carried out, and trying again would not help."""

    reason: str


Reply: TypeAlias = Success | Refused
"""What an action came to."""


class Connector(ABC):
    """A system outside that carries out named actions.

    A subclass declares `actions` and defines `perform`; one that lacks either, or in which
    `perform` is not `async def`, is refused when it is defined.
    """

    actions: ClassVar[tuple[str, ...]]
    """The names of the actions that it supports."""

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        actions = getattr(cls, "actions", None)
        if not isinstance(actions, tuple) or not actions or not all(map(_is_name, actions)):
            raise DefinitionError(
                f"connector {cls.__qualname__} declares its actions as a tuple of names, "
                f'such as `actions = ("send",)`, not {actions!r}'
            )
        if cls.perform is Connector.perform or not inspect.iscoroutinefunction(cls.perform):
            raise DefinitionError(
                f"connector {cls.__qualname__} defines no "
                "`async def perform(self, action, params, config)`"
            )

    async def execute(
        self,
        action: str,
        params: Mapping[str, Any] | None = None,
        config: Mapping[str, Any] | None = None,
    ) -> Reply:
        """Carry out the action; refuse one that is not supported."""
        if action not in self.actions:
            return Refused(
                f"{type(self).__name__} has no action {action!r} "
                f"(actions: {', '.join(self.actions)})"
            )
        return await self.perform(action, params or {}, config or {})

    @abstractmethod
    async def perform(
        self, action: str, params: Mapping[str, Any], config: Mapping[str, Any]
    ) -> Reply:
        """Carry out a supported action.

        - It may be called again with the same parameters: steps are repeated after a crash.
        - It answers `Refused` where trying again would not help.
        - It raises where it might: the step then fails and is retried by its own policy.
        """


def _is_name(action: object) -> bool:
    return isinstance(action, str) and bool(action)

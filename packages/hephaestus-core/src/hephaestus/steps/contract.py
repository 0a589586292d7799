"""The step contract: what users subclass, and what a transition may name."""

import inspect
from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import cached_property
from typing import Any, ClassVar, TypeAlias

import msgspec

from hephaestus import data, duration
from hephaestus.duration import Duration
from hephaestus.errors import DefinitionError, InvalidArgument
from hephaestus.fork import Lock
from hephaestus.retry import Retry
from hephaestus.steps.body import check_body, check_signature, is_coroutine_function
from hephaestus.steps.context import StepContext
from hephaestus.steps.names import check_key, checked_events, default_key

_sharing = Lock()


class _Using:
    """`using` on a class, on an instance and on a decorated function alike."""

    def __get__(self, step: "Step | None", owner: "type[Step]") -> "Callable[..., Configured]":
        def using(*unnamed: object, **config: object) -> Configured:
            """Return the step as a target that carries this config.

            Raises:
                InvalidArgument: A value has no name.
                NotSerializable: The config holds something that cannot be stored.
            """
            target = as_step(owner if step is None else step)
            if unnamed:
                raise InvalidArgument(
                    f"the config of {target.key} goes by name, as using(amount=1), "
                    f"got {unnamed[0]!r}"
                )
            return Configured(target, data.normalise(config, f"the config of {target.key}"))

        return using


class Step:
    """One unit of work, safe to repeat; subclass it and write `execute`.

    Raises:
        DefinitionError: At the definition of a subclass, when an attribute is not sound.
    """

    key: str = ""
    """The step's name within a workflow; the class name in snake_case."""

    events: Sequence[str] = ("done",)
    """The events that it may end with."""

    retry: Retry | None = None
    """Its retry policy; None: the workflow's."""

    timeout: Duration | None = None
    """The longest that one attempt may take; None: no limit."""

    transactional: bool = False
    """It writes through `ctx.session`, and its outcome is committed with what it wrote."""

    settled: ClassVar[bool] = False
    """The engine itself calls `execute`, within the commit that activates the step."""

    ends: ClassVar[bool] = False
    """It completes the run; true of `Done` alone."""

    using = _Using()

    _named: ClassVar[bool] = False
    _shared: "ClassVar[Step | None]" = None

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        cls._shared = None
        cls._named = cls._named or "key" in vars(cls)
        if not cls._named:
            cls.key = default_key(cls.__name__)
        where = f"step {cls.__qualname__}"
        _settle(cls, where)
        if cls.execute is not Step.execute:
            check_body(cls.execute, where, transactional=cls.transactional)
            # How anything but a function is bound shows once there is an instance.
            if inspect.isfunction(inspect.getattr_static(cls, "execute")):
                check_signature(cls.execute, where, "self", "ctx")

    @classmethod
    def shared(cls) -> "Step":
        """Return the one instance that the class itself stands for.

        Raises:
            DefinitionError: It cannot be made without arguments, or is not sound.
        """
        with _sharing:
            if cls._shared is None:
                cls._shared = _made(cls)
                # `ctx[ItsClass]` must find the same key.
                cls.key = cls._shared.key
            return cls._shared

    def execute(self, ctx: StepContext) -> object:
        """Do the work; plain or `async def`.

        Returns an event, `(event, data)`, `(event, data, metadata)`, data alone or None
        where one event is declared, `Suspend(…)` or `Halt(…)`; raises to fail the attempt.
        """
        raise NotImplementedError

    def takes(self, event: str) -> str | None:
        """Return the declared event that an event from outside stands for, if any."""
        return event if event in self.events else None

    @cached_property
    def time_limit(self) -> timedelta | None:
        """`timeout` as a timedelta."""
        return None if self.timeout is None else duration.parse(self.timeout, "timeout")

    @property
    def body(self) -> Callable[..., object]:
        """What the user wrote: `execute`, or the decorated function."""
        return self.execute

    @cached_property
    def is_async(self) -> bool:
        """Whether the body is called on the event loop rather than in a thread."""
        return is_coroutine_function(self.body)

    @cached_property
    def type_name(self) -> str:
        """Where the step is defined: module and name."""
        return f"{type(self).__module__}.{type(self).__qualname__}"

    def __repr__(self) -> str:
        return f"<step {self.key!r}>"


class Configured(msgspec.Struct, frozen=True):
    """A step as a target that carries config; what `using` returns."""

    step: Step
    config: dict[str, Any]

    @property
    def key(self) -> str:
        """The step's key."""
        return self.step.key

    def __hash__(self) -> int:
        return hash((self.step, frozenset(self.config)))


StepReference: TypeAlias = type[Step] | Step
"""How a step is named in code: by its class, or by an instance (a decorated function is one)."""


def as_step(reference: object) -> Step:
    """Return the step that a reference means; a class means one shared instance.

    Raises:
        DefinitionError: The reference is no step, or the step is not sound.
    """
    if isinstance(reference, Configured):
        return reference.step
    if isinstance(reference, Step):
        return _proved(reference)
    if isinstance(reference, type) and issubclass(reference, Step):
        return reference.shared()
    name = getattr(reference, "__qualname__", None) or repr(reference)
    raise DefinitionError(f"{name} is not a step; {_remedy(reference)}")


def _made(step_class: type[Step]) -> Step:
    name = step_class.__qualname__
    try:
        inspect.signature(step_class).bind()
    except TypeError as error:
        raise DefinitionError(
            f"step {name} cannot be made without arguments ({error}); "
            f"make it once, as `x = {name}(…)`, and use that"
        ) from error
    return _proved(step_class())


def _proved(step: Step) -> Step:
    where = f"step {step.type_name}"
    if type(step).execute is Step.execute:
        raise DefinitionError(f"{where} has no execute; write `async def execute(self, ctx)`")
    # A constructor may have set what the class left open.
    _settle(step, where)
    check_body(step.body, where, transactional=step.transactional)
    check_signature(step.body, where, "ctx")
    return step


def _settle(owner: Step | type[Step], where: str) -> None:
    """Check the attributes of a class or instance, and bring them to one form."""
    check_key(owner.key, where, may_end=owner.ends)
    events = checked_events(owner.events, where)
    if events is not owner.events:
        owner.events = events
    if owner.retry is not None and not isinstance(owner.retry, Retry):
        raise DefinitionError(f"{where}: retry must be a Retry, got {owner.retry!r}")
    limit = _checked_timeout(owner.timeout, where)
    if limit is not owner.timeout:
        owner.timeout = limit
    if not isinstance(owner.transactional, bool):
        raise DefinitionError(
            f"{where}: transactional must be True or False, got {owner.transactional!r}"
        )


def _checked_timeout(timeout: Duration | None, where: str) -> timedelta | None:
    if timeout is None:
        return None
    try:
        limit = duration.parse(timeout, "timeout")
    except InvalidArgument as error:
        raise DefinitionError(f"{where}: {error}") from error
    if not limit:
        raise DefinitionError(f"{where}: timeout must be more than 0; leave it out for no limit")
    return limit


def _remedy(reference: object) -> str:
    if callable(reference) and not isinstance(reference, type):
        return "decorate it with @step"
    return "give a Step subclass, an instance of one, or a function decorated with @step"

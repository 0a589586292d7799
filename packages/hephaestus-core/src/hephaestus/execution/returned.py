"""What a step returned, as an outcome."""

from typing import Any

import msgspec

from hephaestus.codec import Codec
from hephaestus.errors import Fatal, InvalidArgument
from hephaestus.nearest import did_you_mean
from hephaestus.outcome import Completed, Halt, Outcome, Suspend
from hephaestus.steps import Step


def interpret(step: Step, returned: object, codec: Codec) -> Outcome:
    """Return the outcome that a returned value stands for.

    Raises:
        Fatal: It is no such value, its event is not declared, or its data cannot be stored.
    """
    try:
        match returned:
            case str():
                return Completed(event=_declared(step, returned))
            case tuple():
                return _from_tuple(step, returned, codec)
            case Suspend():
                return _suspend(step, returned)
            case Halt():
                return _halt(step, returned, codec)
            case _:
                data = codec.checked(returned, f"step {step.key!r}: its result")
                return Completed(event=_only_event(step), data=data)
    except InvalidArgument as error:
        raise Fatal(str(error)) from error


def _from_tuple(step: Step, returned: tuple[Any, ...], codec: Codec) -> Completed:
    if not 2 <= len(returned) <= 3 or not isinstance(returned[0], str):
        raise Fatal(
            f"step {step.key!r} returned {_shape(returned)}; "
            "a tuple is (event, data) or (event, data, metadata)"
        )
    event, data, metadata = (*returned, None)[:3]
    return Completed(
        event=_declared(step, event),
        data=codec.checked(data, f"step {step.key!r}: its data"),
        metadata=codec.checked(metadata, f"step {step.key!r}: its metadata"),
    )


def _suspend(step: Step, suspend: Suspend) -> Suspend:
    if suspend.timeout is not None and "timeout" not in step.events:
        raise Fatal(
            f"step {step.key!r} returned Suspend(timeout=…) and does not declare the event "
            "'timeout'; add it to its events and transitions"
        )
    return suspend


def _halt(step: Step, halt: Halt, codec: Codec) -> Halt:
    if halt.resume_to is not None and halt.resume_to not in (step.key, *step.events):
        raise Fatal(
            f"step {step.key!r} halted with resume_to={halt.resume_to!r}; it is one of the "
            f"step's events ({', '.join(step.events)}) or its own key"
        )
    if not isinstance(halt.prompt, str | None):
        raise Fatal(f"step {step.key!r} halted with prompt={halt.prompt!r}, which is no text")
    codec.checked({"prompt": halt.prompt}, f"step {step.key!r}: its question")
    data = codec.checked(halt.data, f"step {step.key!r}: its halt data")
    return msgspec.structs.replace(halt, data=data)


def _declared(step: Step, event: str) -> str:
    if event not in step.events:
        raise Fatal(
            f"step {step.key!r} returned the event {event!r}, which it does not declare"
            f"{did_you_mean(event, step.events)} (it declares: {', '.join(step.events)})"
        )
    # The declared text: a member of an enum of texts equals it, and must not be stored.
    return step.events[step.events.index(event)]


def _only_event(step: Step) -> str:
    if len(step.events) != 1:
        raise Fatal(
            f"step {step.key!r} returned no event and declares several: {', '.join(step.events)}"
        )
    return step.events[0]


def _shape(returned: tuple[Any, ...]) -> str:
    return f"({', '.join(type(part).__name__ for part in returned)})"

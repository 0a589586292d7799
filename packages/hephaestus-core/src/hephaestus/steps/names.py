"""How steps and their events are named."""

import re
from typing import Protocol

from hephaestus.errors import DefinitionError, InvalidArgument
from hephaestus.instance import DONE

_KEY = re.compile(r"[A-Za-z0-9_.:-]{1,200}")
_WORD_STARTS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_LONGEST_EVENT = 200


class Keyed(Protocol):
    """What stands for a step: a step, its class, a decorated function, a step with config."""

    @property
    def key(self) -> str:
        """The step's key."""
        ...


def key_of(reference: object) -> str:
    """Return the key of a step, however it is referred to.

    Raises:
        InvalidArgument: It is no reference to a step.
    """
    key = reference if isinstance(reference, str) else getattr(reference, "key", None)
    if not isinstance(key, str):
        raise InvalidArgument(f"{reference!r} is not a step; give a step or its key")
    return key


def default_key(class_name: str) -> str:
    """Return a class name in snake_case, with acronyms kept together."""
    return _WORD_STARTS.sub("_", class_name).lower()


def check_key(key: object, where: str, *, may_end: bool) -> None:
    """Refuse what cannot be a step's key; only a step that may end the run is called done."""
    if not isinstance(key, str) or not _KEY.fullmatch(key):
        raise DefinitionError(
            f"{where}: key must be 1 to 200 letters, digits, '_', '.', ':' or '-', "
            f"got {key!r}; set key="
        )
    if key == DONE and not may_end:
        raise DefinitionError(f"{where}: the key {DONE!r} is reserved for Done; set another key=")


def checked_events(events: object, where: str) -> tuple[str, ...]:
    """Return the declared events as a tuple, or refuse them."""
    if not isinstance(events, list | tuple) or not events:
        raise DefinitionError(
            f"{where}: events must be a list or tuple of at least one name, got {events!r}"
            + (f"; write ({events!r},)" if isinstance(events, str) and events else "")
        )
    for event in events:
        if not is_event_name(event):
            raise DefinitionError(
                f"{where}: an event is a printable text of 1 to {_LONGEST_EVENT} characters, "
                f"got {event!r} in events"
            )
    if len(set(events)) < len(events):
        raise DefinitionError(f"{where}: events names one twice: {', '.join(events)}")
    if isinstance(events, tuple) and all(type(event) is str for event in events):
        return events
    # Members of an enum of texts become plain texts.
    return tuple(str.__str__(event) for event in events)


def is_event_name(event: object) -> bool:
    """Tell whether an event can bear that name."""
    return isinstance(event, str) and 0 < len(event) <= _LONGEST_EVENT and event.isprintable()

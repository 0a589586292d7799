"""Whether JSON contains JSON, for storages whose server cannot tell."""

from collections.abc import Mapping
from typing import Any


def contains(value: Any, part: Any) -> bool:
    """Return whether JSON contains JSON, by the rules of PostgreSQL's `@>`.

    Objects contain objects key by key; a list contains each element of a list somewhere.
    """
    if isinstance(part, Mapping):
        return isinstance(value, Mapping) and all(
            key in value and contains(value[key], wanted) for key, wanted in part.items()
        )
    if isinstance(part, list):
        return isinstance(value, list) and all(
            any(contains(element, wanted) for element in value) for wanted in part
        )
    if isinstance(value, bool) or isinstance(part, bool):
        return value is part
    return bool(value == part)

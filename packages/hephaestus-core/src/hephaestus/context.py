"""What a run knows: the data it began with and the results of its steps."""

from typing import Any

import msgspec


class Context(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """The data of a run.

    The values are plain data of the user's own shape, hence `Any`.
    """

    initial: dict[str, Any] = {}
    """The data given to `start`; never changed afterwards."""

    steps: dict[str, Any] = {}
    """The result of each completed step, by the step's key."""

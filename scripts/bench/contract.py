"""What a job and a contender are."""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import TypeAlias

Run: TypeAlias = Callable[[int], Awaitable[int]]
"""Takes one workflow, begun with a number, to its end and returns its result."""

Figures: TypeAlias = Mapping[str, float]
"""What one measurement came to, by the heading of its column."""


@dataclass(frozen=True, kw_only=True)
class Job:
    """Some work, the same for all who do it."""

    name: str
    title: str
    """What is done, as the heading of the table."""

    compared: str
    """The figure whose ratios are taken."""

    size: int
    """How many workflows one measurement runs."""

    quick_size: int

    result: Callable[[int], int]
    """What a workflow must return for the number that it began with."""

    measure: Callable[[Run, int], Awaitable[Figures]]
    """Runs so many workflows and says how that went."""


@dataclass(frozen=True, kw_only=True)
class Contender:
    """One way to do one job.

    `open` imports what it needs itself, so that nobody is slowed by another's imports.
    """

    name: str
    job: Job
    title: str
    distributions: tuple[str, ...]
    """Whose versions the report names."""

    open: Callable[[], AbstractAsyncContextManager[Run]]
    ours: bool = False
    """The others are compared with it; one for each job."""


class WrongResult(Exception):
    """A contender did not do the job."""

    def __init__(self, number: int, expected: int, got: int) -> None:
        super().__init__(number, expected, got)
        self.number = number
        self.expected = expected
        self.got = got

    def __str__(self) -> str:
        return f"the workflow of {self.number} returned {self.got} instead of {self.expected}"

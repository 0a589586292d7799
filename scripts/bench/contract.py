"""What a job and a contender are."""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

Run: TypeAlias = Callable[[int], Awaitable[int]]
"""Takes one workflow, begun with a number, to its end and returns its result."""

Figures: TypeAlias = Mapping[str, float]
"""What one measurement came to, by the heading of its column."""

ServerName: TypeAlias = Literal["postgres", "redis", "rabbitmq"]


@dataclass(frozen=True, kw_only=True)
class Setting:
    """What one measurement is given."""

    size: float = 1
    """How much of it there is: workflows, or seconds; the job says which."""

    name: str = "bench"
    """A word that nothing on the servers is called yet."""

    postgres: str = ""
    """The URL of an empty database, as libpq writes it."""

    redis: str = ""
    rabbitmq: str = ""

    folder: str = ""
    """A folder that all who play a role share."""

    part: int = 0
    """Which of the processes that share the work this is, from 0."""

    @property
    def sqlalchemy(self) -> str:
        """The URL of the database as SQLAlchemy writes it for asyncpg."""
        return self.postgres.replace("postgresql://", "postgresql+asyncpg://", 1)


Role: TypeAlias = Callable[[Any, Setting], Awaitable[None]]
"""Works with what a contender opened, and tells of it."""


@dataclass(frozen=True, kw_only=True)
class Aim:
    """What we want of a figure: by itself, or against the best of some contenders."""

    text: str
    figure: str
    of: str = ""
    """The contender; ours if left out."""

    against: tuple[str, ...] = ()
    at_least: float | None = None
    at_most: float | None = None


@dataclass(frozen=True, kw_only=True)
class Job:
    """Some work, the same for all who do it."""

    name: str
    title: str
    """What is done, as the heading of the table."""

    compared: str
    """The figure whose ratios are taken."""

    more_is_better: bool = False

    size: float
    """How much one measurement does."""

    quick_size: float | None
    """The same for a first look; None: it takes too long for one."""

    unit: str = "workflows"
    """What the size counts."""

    measure: Callable[[Any, Setting], Awaitable[Figures]]
    """Takes what a contender opened, and says how that went.

    Where there are roles it takes the contender itself: those who play them open it, each in a
    process of its own.
    """

    roles: Mapping[str, "Role"] | None = None

    needs: frozenset[ServerName] = frozenset()
    processes: int = 1
    """How many share the work; what is compared is added up, of other figures the mean is taken."""

    is_watched: bool = False
    """Whether WAL and round trips are counted, which slows the work a little."""

    most_rounds: int | None = None
    aims: tuple[Aim, ...] = ()


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

    open: Callable[[Setting], AbstractAsyncContextManager[Any]]
    ours: bool = False
    """The others are compared with it; one for each job."""

    environment: str | None = None
    """Whose pins it runs with; None: those of this project."""

    is_pinned: bool = False
    """Whether it is kept on one core."""

    note: str = ""
    """The settings that its figures depend on."""

    most: float | None = None
    """The largest size that it can do in a time that anybody would wait."""


class WrongResult(Exception):
    """A contender did not do the job."""

    def __init__(self, number: int, expected: int, got: int) -> None:
        super().__init__(number, expected, got)
        self.number = number
        self.expected = expected
        self.got = got

    def __str__(self) -> str:
        return f"the workflow of {self.number} returned {self.got} instead of {self.expected}"

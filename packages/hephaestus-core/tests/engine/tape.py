"""Decisions read from bytes: one cheap draw instead of hundreds, and hypothesis shrinks it well."""

from collections.abc import Sequence
from typing import TypeVar

from hypothesis import strategies as st

T = TypeVar("T")


class Tape:
    """A row of decisions; where it has ended, each is the first and simplest one."""

    def __init__(self, raw: bytes) -> None:
        # What hypothesis has shrunk to zeros says nothing.
        self._raw = raw.rstrip(bytes(1))
        self._place = 0

    @property
    def over(self) -> bool:
        return self._place >= len(self._raw)

    def below(self, limit: int) -> int:
        """Return a number from 0, less than a limit of at most 256."""
        if self.over:
            return 0
        self._place += 1
        return self._raw[self._place - 1] % limit

    def one(self, options: Sequence[T]) -> T:
        return options[self.below(len(options))]

    def some(self, options: Sequence[T]) -> list[T]:
        """Return one or more of the options, in their order."""
        count = self.one([1, 1, 1, 2, 3])
        chosen = {self.below(len(options)) for _ in range(count)}
        return [options[index] for index in sorted(chosen)]

    def rarely(self, one_in: int) -> bool:
        return self.below(one_in) == one_in - 1

    def __repr__(self) -> str:
        return f"Tape({self._raw!r})"


def tapes(length: int) -> st.SearchStrategy[Tape]:
    # Hypothesis likes rows of one byte, of which each says the same as all others.
    raw = st.binary(min_size=length, max_size=length).filter(lambda raw: len(set(raw)) > 1)
    return raw.map(Tape)

"""Threads of a Dramatiq worker, lent to runs."""

import time

from hephaestus_dramatiq.loop import Call

_MOST_STEPS = 10
_LONGEST = 5.0
"""Steps, and seconds, that a run may go on in one thread; then others have their turn."""


class Seat(Call):
    """The thread that took a message, while it is lent to the message's run.

    A line of steps sits on it. When a body has ended the seat is offered to the run's next step,
    which may be another line's to begin: the join of branches, say.
    """

    __slots__ = ("_steps", "_until", "former", "line", "queue", "run_id")

    def __init__(self, run_id: str, queue: str) -> None:
        super().__init__()
        self.run_id = run_id
        self.queue = queue
        self._steps = _MOST_STEPS
        self._until = time.monotonic() + _LONGEST
        self.line: object = None
        """Who sits here."""

        self.former: object = None
        """Who sat here before the seat was taken, as long as it may come back."""

    @property
    def has_time(self) -> bool:
        """Whether the run may go on here."""
        return self._steps > 0 and time.monotonic() < self._until

    def sit(self, line: object) -> None:
        """Let a line execute a step here."""
        self._steps -= 1
        self.line, self.former = line, None


class Seats:
    """The seats that are offered, by run."""

    def __init__(self) -> None:
        self._offered: dict[str, list[Seat]] = {}

    def __len__(self) -> int:
        return len(self._offered)

    def offer(self, seat: Seat) -> None:
        """Offer a seat to the run's next step; where it has no time, let its thread go."""
        if seat.has_time:
            self._offered.setdefault(seat.run_id, []).append(seat)
        else:
            seat.end()

    def take(self, run_id: str, queue: str) -> Seat | None:
        """Take a seat that is offered, if its thread serves the queue."""
        for seat in self._offered.get(run_id, ()):
            if seat.queue == queue:
                self._withdraw(seat)
                seat.line, seat.former = None, seat.line
                return seat
        return None

    def give_back(self, seat: Seat) -> None:
        """Offer a seat again that was taken for nothing."""
        if seat.former is None:
            seat.end()
        else:
            seat.line, seat.former = seat.former, None
            self._offered.setdefault(seat.run_id, []).append(seat)

    def leave(self, seat: Seat, line: object) -> None:
        """End a line; its seat's thread is free, unless somebody else has taken the seat."""
        if seat.line is line:
            self._withdraw(seat)
            seat.end()
        elif seat.former is line:
            seat.former = None

    def dismiss(self, run_id: str) -> None:
        """Let all threads go that are offered to a run: nothing follows."""
        for seat in self._offered.pop(run_id, ()):
            seat.end()

    def _withdraw(self, seat: Seat) -> None:
        others = self._offered.get(seat.run_id, [])
        if seat in others:
            others.remove(seat)
            if not others:
                del self._offered[seat.run_id]

"""Threads of a Dramatiq worker, lent to runs, and the room for runs that go on without."""

import time

from hephaestus_dramatiq.loop import Call

_MOST_STEPS = 10
_LONGEST = 5.0
"""Steps, and seconds, that a run may go on in one thread; then others have their turn."""


class Seat(Call):
    """The place of a message's run in this worker, and the thread that took the message.

    A line of steps sits on it. When a body has ended the seat is offered to the run's next step,
    which may be another line's to begin: the join of branches, say. The thread waits until the
    seat is left, unless there is room for a run that needs no thread.
    """

    __slots__ = ("_steps", "_until", "former", "line", "queue", "room", "run_id")

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

        self.room: Room | None = None
        """Where the seat goes on without its thread, or is about to."""

    @property
    def has_time(self) -> bool:
        """Whether the run may go on here."""
        return self._steps > 0 and time.monotonic() < self._until

    def sit(self, line: object) -> None:
        """Let a line execute a step here."""
        self._steps -= 1
        self.line, self.former = line, None

    def let_go(self) -> None:
        """Let the thread go on, and keep the seat."""
        super().end()

    def end(self, error: Exception | None = None) -> None:
        """Leave the seat for good."""
        super().end(error)
        room, self.room = self.room, None
        if room is not None:
            room.leave(self)


class Room:
    """Lets as many threads go as there is room for runs that need none.

    All others stay with their runs, so that a worker takes a message only where it could begin
    at once.

    Args:
        size: How many runs there may be without a thread.
    """

    def __init__(self, size: int) -> None:
        self._free = size
        self._waiting: dict[Seat, None] = {}

    def enter(self, seat: Seat) -> None:
        """Let the thread of a seat go, now or as soon as there is room."""
        if seat.room is not None:
            return
        seat.room = self
        if self._free:
            self._free -= 1
            seat.let_go()
        else:
            self._waiting[seat] = None

    def leave(self, seat: Seat) -> None:
        """Give the room of a seat to the one that has waited for longest."""
        if seat in self._waiting:
            del self._waiting[seat]
        elif self._waiting:
            other = next(iter(self._waiting))
            del self._waiting[other]
            other.let_go()
        else:
            self._free += 1


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

    def take(self, run_id: str, queue: str, *, thread: bool = False) -> Seat | None:
        """Take a seat that is offered, if its thread serves the queue.

        Args:
            thread: Whether a seat without a thread will not do.
        """
        for seat in self._offered.get(run_id, ()):
            if seat.queue == queue and not (thread and seat.room is not None):
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

"""What becomes of ready steps: this run's thread goes on with one, the others are sent."""

from collections.abc import Callable, Iterator
from datetime import datetime

from hephaestus import registry
from hephaestus.execution import Choice, Placed
from hephaestus.instance import Instance
from hephaestus.storage import Lease
from hephaestus_dramatiq.envelopes import Envelopes
from hephaestus_dramatiq.lines import needs_thread
from hephaestus_dramatiq.routes import Routes
from hephaestus_dramatiq.seats import Seat, Seats
from hephaestus_dramatiq.sender import Sender


class Plan(Choice, frozen=True, gc=True):
    """A choice, and the seats on which the leased steps are to be executed."""

    seats: tuple[Seat, ...] = ()


_NOTHING = Plan()


class Dispatch:
    """Gives the seat that a run has just left to the run's next step, and sends the others.

    Args:
        take_up: Executes a leased step on a seat.
        note: Hears when a run is due next.
    """

    def __init__(
        self,
        *,
        app: str,
        envelopes: Envelopes,
        routes: Routes,
        sender: Sender,
        take_up: Callable[[Instance, Lease, Seat], None],
        note: Callable[[datetime | None], None],
    ) -> None:
        self.seats = Seats()
        self._app = app
        self._envelopes = envelopes
        self._routes = routes
        self._sender = sender
        self._take_up = take_up
        self._note = note

    def choose(self, instance: Instance, ready: tuple[str, ...]) -> Plan:
        """Decide about ready steps; what no broker takes at the moment stays ready for anyone."""
        if instance.is_finished:
            self.seats.dismiss(instance.run_id)
        if not ready or not self._is_ours(instance):
            return _NOTHING
        leased, seats, sent = [], [], []
        graph = registry.find(instance.workflow, instance.workflow_version).graph
        for key in ready:
            queue, thread = self._routes.queue_of(key), needs_thread(graph, key)
            seat = self.seats.take(instance.run_id, queue, thread=thread)
            if seat is None:
                sent.append(key)
            else:
                leased.append(key)
                seats.append(seat)
        if not self._sender.reaches_broker:
            sent = []
        return Plan(leased=tuple(leased), sent=tuple(sent), seats=tuple(seats))

    def forget(self, choice: Choice) -> None:
        """Let those have their seats again who gave them up for this."""
        for seat in _seats_of(choice):
            self.seats.give_back(seat)

    def begin(self, placed: Placed) -> None:
        """Send what is to be sent, and execute the rest."""
        for lease, seat in self.send(placed):
            self._take_up(placed.instance, lease, seat)

    def send(self, placed: Placed) -> Iterator[tuple[Lease, Seat]]:
        """Send what is to be sent; return the leases that are to be executed, and where."""
        self._note(placed.wake_at)
        for key in placed.choice.sent:
            self._sender.send(self._envelopes.execute_step(placed.instance, key))
        return zip(placed.leases, _seats_of(placed.choice), strict=True)

    def _is_ours(self, instance: Instance) -> bool:
        return registry.is_known(self._app, instance.workflow, instance.workflow_version)


def _seats_of(choice: Choice) -> tuple[Seat, ...]:
    return choice.seats if isinstance(choice, Plan) else ()

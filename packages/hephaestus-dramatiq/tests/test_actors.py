"""What becomes of a message that cannot be carried out at the moment, or here, or at all."""

from typing import Any

import pytest
from dramatiq import Message, Middleware
from dramatiq.broker import MessageProxy
from dramatiq.brokers.stub import StubBroker
from dramatiq.errors import Retry

from hephaestus.errors import DamagedInstance, StorageUnavailable, UnknownWorkflow
from hephaestus_dramatiq import UnreadableMessage
from hephaestus_dramatiq.actors import Actors
from hephaestus_dramatiq.envelopes import Envelopes
from hephaestus_dramatiq.failures import Closing, NotOpen
from hephaestus_dramatiq.messages import About, ExecuteStep
from hephaestus_dramatiq.middleware import HephaestusMiddleware
from hephaestus_dramatiq.routes import Routes

FIELDS = {"workflow": "w", "version": 1, "instance_id": "i::1", "run_id": "r"}
STEP = {**FIELDS, "step": "s", "attempt": 1}


class Receiver:
    """Carries nothing out, and raises what it is told to."""

    def __init__(self) -> None:
        self.error: Exception | None = None
        self.received: list[About] = []
        self.sent: list[tuple[Message[Any], int | None]] = []

    def execute_step(self, order: ExecuteStep, queue: str) -> None:
        self.advance(order)

    def advance(self, order: About) -> None:
        self.received.append(order)
        if self.error is not None:
            raise self.error

    def send(self, message: Message[Any], delay: int | None = None) -> None:
        self.sent.append((message, delay))


class Desk:
    """Actors, and the message that they are at."""

    def __init__(self) -> None:
        self.receiver = Receiver()
        self.options: dict[str, Any] = {}
        routes = Routes("steps", {})
        envelopes = Envelopes(
            prefix="h", orchestration="orchestration", routes=routes, metadata=True
        )
        self.actors = Actors(self.receiver, envelopes, self._current)

    def _current(self) -> MessageProxy:
        return MessageProxy(
            Message(
                queue_name="steps",
                actor_name="h.execute_step",
                args=(),
                kwargs=STEP,
                options=self.options,
            )
        )


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_each_actor_hands_its_message_over(desk: Desk) -> None:
    desk.actors.execute_step(**STEP)
    desk.actors.advance(**FIELDS)
    desk.actors.resume(**FIELDS, step="s", event="e")

    assert ["execute_step", "advance", "resume"] == [o.actor for o in desk.receiver.received]


@pytest.mark.parametrize("error", [StorageUnavailable("Storage", "away"), NotOpen()], ids=repr)
def test_an_outage_lets_the_message_come_again_later_and_later(
    desk: Desk, error: Exception
) -> None:
    desk.receiver.error = error
    delays = []
    for retries in (0, 1, 2, 50):
        desk.options = {"retries": retries}
        with pytest.raises(Retry) as caught:
            desk.actors.execute_step(**STEP)
        delays.append(caught.value.delay)

    assert [200, 400, 800, 30_000] == delays


def test_a_worker_that_closes_gives_the_message_back(desk: Desk) -> None:
    desk.receiver.error = Closing()

    desk.actors.execute_step(**STEP)
    ((message, delay),) = desk.receiver.sent

    assert (STEP, None) == (message.kwargs, delay)


def test_a_message_is_passed_on_later_and_later_but_not_for_ever(desk: Desk) -> None:
    desk.receiver.error = UnknownWorkflow("w", 1)
    delays = []
    for _ in range(10):
        desk.actors.execute_step(**STEP)
        message, delay = desk.receiver.sent[-1]
        desk.options = message.options
        delays.append(delay)
    desk.actors.execute_step(**STEP)

    assert [250, 500, 1000, *[2000] * 7] == delays
    assert 10 == len(desk.receiver.sent)


def test_what_cannot_be_carried_out_at_all_is_told_and_ends(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    desk.receiver.error = DamagedInstance("r", "no JSON")

    desk.actors.execute_step(**STEP)

    assert "comes to nothing: the stored run 'r' cannot be read" in caplog.text
    assert [] == desk.receiver.sent


def test_an_error_of_ours_is_left_to_dramatiq(desk: Desk) -> None:
    desk.receiver.error = ZeroDivisionError("a bug")

    with pytest.raises(ZeroDivisionError):
        desk.actors.execute_step(**STEP)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        (FIELDS, "missing required field `step`"),
        ({**STEP, "attempt": "one"}, "Expected `int`, got `str`"),
    ],
)
def test_what_is_unreadable_says_what_and_why(
    desk: Desk, fields: dict[str, Any], reason: str
) -> None:
    with pytest.raises(UnreadableMessage, match=reason) as caught:
        desk.actors.execute_step(**fields)

    assert ("execute_step", fields) == (caught.value.actor, caught.value.fields)


def test_what_is_unreadable_becomes_a_dead_letter_without_dramatiqs_retries() -> None:
    class Nobody:
        """A host that hears of nothing."""

    middleware: Middleware = HephaestusMiddleware(Nobody(), ())  # type: ignore[arg-type]  # not asked
    broker = StubBroker(middleware=[])
    proxy = MessageProxy(Message(queue_name="q", actor_name="a", args=(), kwargs={}, options={}))

    middleware.after_process_message(
        broker, proxy, exception=UnreadableMessage("execute_step", {}, "empty")
    )

    assert proxy.failed

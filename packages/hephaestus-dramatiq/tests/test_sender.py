"""The sender: in order, off the event loop, and patient with a broker that is away."""

import logging
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from dramatiq import Broker, Message
from dramatiq.brokers.stub import StubBroker

from hephaestus_dramatiq import sender as module
from hephaestus_dramatiq.sender import Sender

PATIENCE = 10.0


class Flaky(StubBroker):
    """A broker that is away when told to be, and says in which thread it was asked."""

    def __init__(self) -> None:
        super().__init__(middleware=[])
        self.is_away = threading.Event()
        self.was_refused = threading.Event()
        self.refusals = threading.Semaphore(0)
        self.took = threading.Semaphore(0)
        self.taken: list[tuple[str, int | None]] = []
        self.threads: set[str] = set()
        self.refuses: str | None = None

    def enqueue(self, message: Message[Any], *, delay: int | None = None) -> Message[Any]:
        self.threads.add(threading.current_thread().name)
        if self.is_away.is_set() or message.message_id == self.refuses:
            self.refusals.release()
            self.was_refused.set()
            raise ConnectionRefusedError("away")
        self.taken.append((message.message_id, delay))
        self.took.release()
        return message


def message(id: str) -> Message[None]:
    return Message(queue_name="q", actor_name="a", args=(), kwargs={}, options={}, message_id=id)


@pytest.fixture
def broker() -> Flaky:
    return Flaky()


@pytest.fixture
def sender(broker: Broker, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sender]:
    monkeypatch.setattr(module, "_PAUSE", 0.01)
    sender = Sender(broker)
    sender.start()
    yield sender
    sender.close(PATIENCE)


def took(broker: Flaky, count: int) -> bool:
    return all(broker.took.acquire(timeout=PATIENCE) for _ in range(count))


def test_it_sends_in_order_and_from_one_thread_of_its_own(sender: Sender, broker: Flaky) -> None:
    for number in range(100):
        sender.send(message(str(number)), number if number % 2 else None)

    assert took(broker, 100)
    assert [(str(n), n if n % 2 else None) for n in range(100)] == broker.taken
    assert {"hephaestus-sender"} == broker.threads


def test_what_was_refused_is_sent_when_the_broker_is_back(
    sender: Sender, broker: Flaky, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "hephaestus.dramatiq")
    broker.is_away.set()
    for id in ("1", "2", "3"):
        sender.send(message(id))
    # The sender has heard of the first refusal when it comes for the second.
    for _ in range(2):
        assert broker.was_refused.wait(PATIENCE)
        broker.was_refused.clear()
    reached = sender.reaches_broker

    broker.is_away.clear()

    assert took(broker, 3)
    assert {"1", "2", "3"} == {id for id, _ in broker.taken}
    assert not reached
    assert sender.reaches_broker
    warnings = [r for r in caplog.records if r.levelno == logging.WARNING]
    assert 1 == len(warnings), "an outage is told once"


def test_a_message_that_the_broker_refuses_does_not_hold_up_the_others(
    sender: Sender, broker: Flaky, caplog: pytest.LogCaptureFixture
) -> None:
    broker.refuses = "too large"

    sender.send(message("too large"))
    sender.send(message("small"))
    refusals = [broker.refusals.acquire(timeout=PATIENCE) for _ in range(4)]
    sender.send(message("smaller"))
    sender.close(PATIENCE)

    assert all(refusals)
    assert ["small", "smaller"] == [id for id, _ in broker.taken]
    assert sender.reaches_broker
    assert "is refused" in caplog.text


def test_a_broker_that_refuses_the_last_message_is_not_taken_for_away(
    sender: Sender, broker: Flaky
) -> None:
    broker.refuses = "too large"

    sender.send(message("too large"))
    sender.send(message("small"))
    refusals = [broker.refusals.acquire(timeout=PATIENCE) for _ in range(4)]
    sender.close(PATIENCE)

    assert all(refusals)
    assert sender.reaches_broker


def test_what_an_outage_left_unsent_does_not_end_the_next_sending(
    sender: Sender, broker: Flaky
) -> None:
    broker.is_away.set()
    sender.send(message("1"))
    assert broker.was_refused.wait(PATIENCE)
    sender.close(PATIENCE)
    broker.is_away.clear()

    sender.start()
    sender.send(message("2"))
    sender.send(message("3"))

    assert took(broker, 2)


def test_closing_sends_what_waits(sender: Sender, broker: Flaky) -> None:
    for number in range(1000):
        sender.send(message(str(number)))

    sender.close(PATIENCE)

    assert 1000 == len(broker.taken)


def test_closing_does_not_wait_for_a_broker_that_is_away(
    sender: Sender, broker: Flaky, caplog: pytest.LogCaptureFixture
) -> None:
    broker.is_away.set()
    sender.send(message("1"))
    sender.send(message("2"))
    assert broker.was_refused.wait(PATIENCE)

    sender.close(PATIENCE)

    assert [] == broker.taken
    assert "left unsent" in caplog.text


def test_messages_beyond_measure_are_left_to_who_looks_for_due(
    sender: Sender,
    broker: Flaky,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(module, "_MOST", 5)
    broker.is_away.set()
    sender.send(message("first"))
    assert broker.was_refused.wait(PATIENCE)
    for number in range(20):
        sender.send(message(str(number)))

    broker.is_away.clear()

    assert took(broker, 5)
    assert "more are left to who looks for due" in caplog.text


def test_it_can_begin_again(sender: Sender, broker: Flaky) -> None:
    sender.send(message("1"))
    sender.close(PATIENCE)

    sender.start()
    sender.send(message("2"))

    assert took(broker, 2)


def test_closing_twice_is_closing_once(sender: Sender) -> None:
    sender.close(PATIENCE)
    sender.close(PATIENCE)


class Connected(Flaky):
    """A broker that has a connection for each thread, as a RabbitmqBroker."""

    def __init__(self) -> None:
        super().__init__()
        self.pulses = threading.Semaphore(0)
        self.closed = threading.Semaphore(0)
        self.is_lost = threading.Event()

    @property
    def connection(self) -> "Connected":
        return self

    @connection.deleter
    def connection(self) -> None:
        self.closed.release()

    def process_data_events(self) -> None:
        if self.is_lost.is_set():
            raise ConnectionResetError("lost")
        self.pulses.release()


@pytest.fixture
def connected(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Connected, Sender]]:
    monkeypatch.setattr(module, "_IDLE", 0.01)
    broker = Connected()
    sender = Sender(broker)
    sender.start()
    yield broker, sender
    sender.close(PATIENCE)


def test_a_connection_that_sends_nothing_is_kept_alive(
    connected: tuple[Connected, Sender],
) -> None:
    broker, sender = connected

    sender.send(message("1"))

    assert all(broker.pulses.acquire(timeout=PATIENCE) for _ in range(3))
    sender.close(PATIENCE)
    assert broker.closed.acquire(timeout=PATIENCE), "the thread took its connection with it"


def test_a_connection_that_is_lost_while_idle_is_made_anew(
    connected: tuple[Connected, Sender],
) -> None:
    broker, sender = connected
    broker.is_lost.set()
    sender.send(message("1"))
    assert broker.closed.acquire(timeout=PATIENCE)

    sender.send(message("2"))

    assert took(broker, 2)

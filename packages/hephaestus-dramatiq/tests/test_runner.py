"""What a DramatiqRunner takes and refuses, and what it does to its broker."""

import asyncio
import logging
import threading
from collections.abc import Callable
from typing import Any

import dramatiq
import pytest
from dramatiq import Worker
from dramatiq.brokers.redis import RedisBroker
from dramatiq.brokers.stub import StubBroker

from hephaestus import Hephaestus, MemoryStorage
from hephaestus.errors import InvalidArgument
from hephaestus.testing.runner.workflows import Errand
from hephaestus_dramatiq import DramatiqRunner, HephaestusMiddleware, Route


def test_a_broker_gets_three_actors_and_a_middleware() -> None:
    broker = StubBroker()

    DramatiqRunner(broker)

    assert {"hephaestus.execute_step", "hephaestus.advance", "hephaestus.resume"} == set(
        broker.actors
    )
    assert {"hephaestus", "hephaestus.orchestration"} == {
        actor.queue_name for actor in broker.actors.values()
    }
    assert HephaestusMiddleware in [type(one) for one in broker.middleware]


def test_dramatiq_sets_no_time_limit_on_steps() -> None:
    broker = StubBroker()

    DramatiqRunner(broker)

    assert float("inf") == broker.actors["hephaestus.execute_step"].options["time_limit"]


def test_a_broker_without_middleware_will_do() -> None:
    broker = StubBroker(middleware=[])

    DramatiqRunner(broker)

    assert {} == broker.actors["hephaestus.execute_step"].options


def test_two_runners_share_a_broker_under_different_prefixes() -> None:
    broker = StubBroker()
    DramatiqRunner(broker)

    DramatiqRunner(broker, prefix="billing", queue="billing")

    assert "billing.execute_step" in broker.actors
    assert "billing.orchestration" == broker.actors["billing.advance"].queue_name
    with pytest.raises(InvalidArgument, match=r"already registered.*prefix="):
        DramatiqRunner(broker)


def test_actors_of_the_users_live_beside_ours() -> None:
    broker = StubBroker()
    DramatiqRunner(broker)

    @dramatiq.actor(broker=broker)
    def advance() -> None:
        """Have a name that one of ours has, too."""

    assert "advance" in broker.actors


def test_each_queue_and_priority_of_a_route_is_declared() -> None:
    broker = StubBroker()

    DramatiqRunner(broker, routes={"charge": Route(queue="payments", priority=5)})

    assert "payments" in broker.queues
    assert 5 == broker.actors["hephaestus.execute_step.priority_5"].priority


@pytest.mark.parametrize(
    "wrong",
    [
        {"queue": "no name"},
        {"concurrency": 0},
        {"concurrency": True},
        {"prefetch": -1},
        {"lease": 0},
        {"poll": -1},
        {"grace": "long"},
        {"routes": {"charge": "payments"}},
        {"routes": {42: Route()}},
    ],
    ids=repr,
)
def test_a_wrong_option_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidArgument):
        DramatiqRunner(StubBroker(), **wrong)


async def test_a_storage_that_no_worker_could_reach_is_refused() -> None:
    broker = RedisBroker(url="redis://127.0.0.1:1")
    app = Hephaestus(MemoryStorage(), DramatiqRunner(broker))

    with pytest.raises(InvalidArgument, match="workers cannot reach MemoryStorage"):
        await app.open()


async def test_a_runner_serves_one_app_at_a_time() -> None:
    runner = DramatiqRunner(StubBroker())
    async with Hephaestus(MemoryStorage(), runner):
        with pytest.raises(InvalidArgument, match="give each its own"):
            await Hephaestus(MemoryStorage(), runner).open()


def test_threads_and_prefetch_of_a_worker_can_be_told() -> None:
    broker = StubBroker()
    runner = DramatiqRunner(broker, concurrency=3, prefetch=5)
    app = Hephaestus(MemoryStorage(), runner)
    worker = Worker(broker, worker_timeout=10)

    worker.start()
    threads = len(worker.workers)
    worker.stop()

    assert (3, 5) == (threads, worker.queue_prefetch)
    assert app.runner is runner


def test_a_worker_keeps_its_threads_where_more_steps_may_be_executed() -> None:
    broker = StubBroker()
    app = Hephaestus(MemoryStorage(), DramatiqRunner(broker, concurrency=50))
    worker = Worker(broker, worker_timeout=10, worker_threads=2)

    worker.start()
    threads = len(worker.workers)
    worker.stop()

    assert 2 == threads
    assert app.runner.name == "dramatiq"


def test_a_worker_opens_the_app_and_closes_it() -> None:
    broker = StubBroker()
    app = Hephaestus(MemoryStorage(), DramatiqRunner(broker))
    worker = Worker(broker, worker_timeout=10)
    opened, closed = _watch(app, "open"), _watch(app, "close")

    worker.start()
    assert opened.wait(10)
    worker.stop()

    assert closed.is_set()


def test_the_last_worker_of_a_process_closes_the_app() -> None:
    broker = StubBroker()
    app = Hephaestus(MemoryStorage(), DramatiqRunner(broker))
    workers = [Worker(broker, worker_timeout=10) for _ in range(2)]
    opened, closed = _watch(app, "open"), _watch(app, "close")
    for worker in workers:
        worker.start()
    assert opened.wait(10)

    workers[0].stop()
    after_one = closed.is_set()
    workers[1].stop()

    assert (False, True) == (after_one, closed.is_set())


def test_a_worker_of_no_app_says_so(caplog: pytest.LogCaptureFixture) -> None:
    broker = StubBroker()
    DramatiqRunner(broker)
    worker = Worker(broker, worker_timeout=10)

    worker.start()
    worker.stop()

    assert "no app has this runner" in caplog.text


def test_a_worker_keeps_trying_to_open_the_app(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, "hephaestus.dramatiq")
    monkeypatch.setattr("hephaestus_dramatiq.host._FIRST_PAUSE", 0.01)
    broker = StubBroker()
    app = Hephaestus(MemoryStorage(), DramatiqRunner(broker))
    errors: list[Exception] = [InvalidArgument("not yet"), OSError("nor yet")]
    really = app.storage.open

    async def open_later() -> None:
        if errors:
            raise errors.pop(0)
        await really()

    monkeypatch.setattr(app.storage, "open", open_later)
    opened = _watch(app, "open")
    worker = Worker(broker, worker_timeout=10)

    worker.start()
    assert opened.wait(10)
    worker.stop()

    assert ["not yet", "cannot be opened"] == [
        text for text in ("not yet", "cannot be opened") if text in caplog.text
    ]


def test_a_worker_takes_our_messages_once_the_app_is_open_and_others_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    broker = StubBroker()
    app = Hephaestus(MemoryStorage(), DramatiqRunner(broker))
    may_open, mailed = threading.Event(), threading.Event()
    really = app.storage.open

    async def open_later() -> None:
        await asyncio.to_thread(may_open.wait)
        await really()

    monkeypatch.setattr(app.storage, "open", open_later)
    mail = dramatiq.actor(broker=broker, actor_name="mail", queue_name="mail")(mailed.set)
    mail.send()
    nobodys = {"instance_id": "1", "run_id": "1", "workflow": Errand.name, "version": 1}
    broker.actors["hephaestus.advance"].send_with_options(kwargs=nobodys)
    worker = Worker(broker, worker_timeout=10)

    worker.start()
    mailed.wait(10)
    worker.consumers["hephaestus.orchestration"].paused_event.wait(10)
    before = broker.queues["hephaestus.orchestration"].qsize()
    may_open.set()
    broker.join("hephaestus.orchestration", timeout=10_000)
    worker.stop()

    assert (True, 1) == (mailed.is_set(), before)


def _watch(app: Hephaestus, verb: str) -> Any:
    """Return an event that is set when a verb of an app has returned."""
    done = threading.Event()
    really: Callable[[], Any] = getattr(app, verb)

    async def watched() -> None:
        await really()
        done.set()

    setattr(app, verb, watched)
    return done

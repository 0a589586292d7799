"""The Dramatiq worker of this process: its threads, and the event loop that they hand over to."""

import asyncio
import concurrent.futures
import logging
import threading
from collections.abc import Callable
from datetime import timedelta

from dramatiq import Message, Worker
from dramatiq.worker import ConsumerThread

from hephaestus.errors import HephaestusError
from hephaestus.runner import OpenableApp
from hephaestus_dramatiq.failures import NotOpen
from hephaestus_dramatiq.loop import Call, LoopThread
from hephaestus_dramatiq.messages import About, ExecuteStep
from hephaestus_dramatiq.seats import Seat
from hephaestus_dramatiq.sender import Sender
from hephaestus_dramatiq.work import Work

_log = logging.getLogger("hephaestus.dramatiq")
_USUAL = 100
"""How many steps a worker executes at once, unless it has more threads."""

_FIRST_PAUSE = 0.5
_LONGEST_PAUSE = 10.0


class WorkerHost:
    """Hands messages over to the event loop on which the app is open.

    Where the worker boots before anybody has opened the app, it opens it on a loop of its own,
    and keeps trying; it closes what it opened. Until then it takes none of our messages, which
    other workers may carry out at once.

    Args:
        sender: Sends what goes back to the broker.
        concurrency: How many steps a worker executes at once, if not as many as is usual.
        prefetch: How many messages of a queue it is to fetch ahead, if not as it was told.
        grace: How long it lets running steps end.
    """

    def __init__(
        self, sender: Sender, *, concurrency: int | None, prefetch: int | None, grace: timedelta
    ) -> None:
        self._sender = sender
        self._concurrency = concurrency
        self._spare = 0
        self._prefetch = prefetch
        self._grace = grace
        self._app: OpenableApp | None = None
        self._lock = threading.Lock()
        self._workers = 0
        self._work: Work | None = None
        self._paused: list[ConsumerThread] = []
        self._thread: LoopThread | None = None
        self._opening: concurrent.futures.Future[None] | None = None
        self._draining: concurrent.futures.Future[None] | None = None

    # Heard from the app, on its event loop

    def attach(self, app: OpenableApp) -> None:
        """Hear of the app that a worker is to open."""
        self._app = app

    def opened(self, work: Work) -> None:
        """Let the worker of this process, if there is one, work on this event loop."""
        with self._lock:
            self._work, self._loop = work, asyncio.get_running_loop()
            if self._workers:
                work.begin(self._spare)
            while self._paused:
                self._paused.pop().resume()

    def closed(self) -> None:
        """Take no more messages: the app has closed."""
        with self._lock:
            self._work = None

    # Heard from the worker, in its threads

    def worker_boots(self, worker: Worker) -> None:
        """Open the app, unless that is open, and work."""
        if self._concurrency is not None:
            worker.worker_threads = min(worker.worker_threads, self._concurrency)
        self._spare = max(0, (self._concurrency or _USUAL) - worker.worker_threads)
        if self._prefetch is not None:
            worker.queue_prefetch = self._prefetch
        with self._lock:
            self._workers += 1
            if self._work is not None:
                self._loop.call_soon_threadsafe(self._work.begin, self._spare)
                return
        if self._app is None:
            _log.error("no app has this runner; write Hephaestus(storage, DramatiqRunner(broker))")
            return
        if self._thread is None:
            self._thread = LoopThread("hephaestus")
            self._thread.start()
            self._opening = self._thread.run(_open(self._app))

    def consumer_boots(self, consumer: ConsumerThread) -> None:
        """Take messages from a queue once the app is open."""
        with self._lock:
            if self._work is None:
                consumer.pause()
                self._paused.append(consumer)

    def worker_shuts_down(self) -> None:
        """Begin nothing more, and let what runs end."""
        with self._lock:
            self._workers -= 1
            if self._work is not None and not self._workers:
                drain = self._work.drain(self._grace)
                self._draining = asyncio.run_coroutine_threadsafe(drain, self._loop)

    def worker_is_down(self) -> None:
        """Close the app, if it was opened for the worker."""
        draining, self._draining = self._draining, None
        if draining is not None:
            draining.result()
        if self._workers:
            return
        thread, self._thread = self._thread, None
        if thread is None or self._app is None:
            return
        if self._opening is not None:
            self._opening.cancel()
        thread.run(self._app.close()).result()
        thread.stop()

    def execute_step(self, order: ExecuteStep, queue: str) -> None:
        """Execute a step, and what follows it as long as this thread has time."""
        seat = Seat(order.run_id, queue)
        self._hand_over(lambda work: work.receive_step(order, seat), seat)

    def advance(self, order: About) -> None:
        """Look at a run."""
        call = Call()
        self._hand_over(lambda work: work.receive_hint(order, call), call)

    def send(self, message: "Message[None]", delay: int | None = None) -> None:
        """Send a message, after so many milliseconds."""
        self._sender.send(message, delay)

    def _hand_over(self, begin: Callable[[Work], None], call: Call) -> None:
        with self._lock:
            if self._work is None:
                raise NotOpen
            loop = self._loop
            loop.call_soon_threadsafe(begin, self._work)
        call.wait(loop)


async def _open(app: OpenableApp) -> None:
    """Open the app, however long that takes."""
    pause = _FIRST_PAUSE
    while True:
        try:
            await app.open()
        except HephaestusError as error:
            _log.warning("the app cannot be opened: %s; trying again in %.1f s", error, pause)
        except Exception:  # noqa: BLE001  # a worker without its app is of no use
            _log.exception("the app cannot be opened; trying again in %.1f s", pause)
        else:
            return
        await asyncio.sleep(pause)
        pause = min(pause * 2, _LONGEST_PAUSE)

"""Sending messages from a thread of their own, so that no event loop waits for a broker."""

import logging
import threading
from queue import Empty, SimpleQueue
from typing import NamedTuple

from dramatiq import Broker, Message

from hephaestus_dramatiq.connection import disconnect, has_connection, keep_alive

_log = logging.getLogger("hephaestus.dramatiq")
_PAUSE = 1.0
"""Seconds between two attempts to reach a broker that is away."""

_TRIES = 3
"""How often a message is tried while others are taken; then it is itself what no broker takes."""

_IDLE = 1.0
"""Seconds after which an idle connection is looked after."""

_MOST = 10_000
"""How many messages may wait to be sent; what comes on top is left to `due`."""


class _Item(NamedTuple):
    message: "Message[None]"
    delay: int | None
    tries: int = 0
    taken: int = 0
    """How many messages the broker had taken when it refused this one for the first time."""


class Sender:
    """Sends in order, but what the broker refused: that is tried again when the others were.

    A message is a hint that may be lost: with the process, where too many wait, or where the
    broker takes others and refuses it.
    """

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self._waiting: SimpleQueue[_Item | None] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._closed = threading.Event()
        self._away = False
        self._is_connected = False
        self._dropped = 0
        self._taken = 0

    @property
    def reaches_broker(self) -> bool:
        """Whether the broker took the last message that it was offered."""
        return not self._away

    def start(self) -> None:
        """Begin to send."""
        self._closed.clear()
        self._waiting = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="hephaestus-sender", daemon=True)
        self._thread.start()

    def send(self, message: "Message[None]", delay: int | None = None) -> None:
        """Send a message as soon as possible, without waiting for it.

        Args:
            delay: After how many milliseconds it is to be delivered.
        """
        if self._waiting.qsize() < _MOST:
            self._waiting.put(_Item(message, delay))
            return
        self._dropped += 1
        if self._dropped == 1:
            _log.warning("%d messages wait to be sent; more are left to who looks for due", _MOST)

    def close(self, seconds: float) -> None:
        """Send what still waits, for so long at most; nothing more if the broker is away."""
        thread, self._thread = self._thread, None
        if thread is None:
            return
        self._closed.set()
        self._waiting.put(None)
        thread.join(seconds)
        if not self._waiting.empty():
            _log.warning("messages were left unsent; who looks for due runs finds their steps")

    def _run(self) -> None:
        connects = has_connection(self._broker)
        try:
            while (item := self._next(connects)) is not None:
                if not self._try(item) and self._closed.wait(_PAUSE):
                    return
        finally:
            if connects:
                disconnect(self._broker)

    def _next(self, connects: bool) -> _Item | None:
        """Return the next message; keep a connection of this thread alive meanwhile."""
        while connects and self._is_connected:
            try:
                return self._waiting.get(timeout=_IDLE)
            except Empty:
                self._keep_alive()
        return self._waiting.get()

    def _keep_alive(self) -> None:
        try:
            keep_alive(self._broker)
        except Exception as error:  # noqa: BLE001  # each broker has errors of its own
            _log.info("the connection to the broker is lost: %r", error)
            self._is_connected = False
            disconnect(self._broker)

    def _try(self, item: _Item) -> bool:
        """Send a message; answer False if it waits for another try."""
        try:
            self._broker.enqueue(item.message, delay=item.delay)
        except Exception as error:  # noqa: BLE001  # each broker has errors of its own
            return self._is_refused(item, error)
        if self._away:
            _log.info("the broker is back")
        self._away = False
        self._is_connected = True
        self._dropped = 0
        self._taken += 1
        return True

    def _is_refused(self, item: _Item, error: Exception) -> bool:
        """Let a message wait behind the others, which tell whether it is the broker's fault."""
        if not item.tries:
            item = item._replace(taken=self._taken)
        elif item.taken < self._taken and item.tries >= _TRIES:
            _log.warning("%s is refused (%r), and left to who looks for due", item.message, error)
            self._away = False  # it took others
            return True
        if not self._away:
            _log.warning("the broker is away (%r); steps wait until it is back", error)
        self._away = True
        self._waiting.put(item._replace(tries=item.tries + 1))
        return False

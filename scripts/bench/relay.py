"""A wire between a contender and a server that counts round trips."""

import selectors
import socket
import threading
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit, urlunsplit

_MOST = 1 << 18


class Relay:
    """Passes on what comes; whoever speaks after the server has spoken begins a round trip.

    What is sent while an answer is under way belongs to the round trip before, as it waits for
    nothing.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._target = (parts.hostname or "127.0.0.1", parts.port or 0)
        self._listener = socket.create_server(("127.0.0.1", 0))
        account, _, _ = parts.netloc.rpartition("@")
        host = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self.url = urlunsplit(parts._replace(netloc=f"{account}@{host}" if account else host))
        self.round_trips = 0
        self._asked: set[socket.socket] = set()
        self._selector = selectors.DefaultSelector()
        self._waking, self._woken = socket.socketpair()
        self._thread = threading.Thread(target=self._run, name="bench-relay", daemon=True)

    def __enter__(self) -> Self:
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._selector.register(self._woken, selectors.EVENT_READ)
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._waking.send(b"x")
        self._thread.join()
        for key in list(self._selector.get_map().values()):
            if isinstance(key.fileobj, socket.socket):
                key.fileobj.close()
        self._waking.close()
        self._selector.close()

    def _run(self) -> None:
        while True:
            for key, _ in self._selector.select():
                if key.fileobj is self._woken:
                    return
                if key.fileobj is self._listener:
                    self._accept()
                elif isinstance(key.fileobj, socket.socket) and key.fileobj.fileno() >= 0:
                    # One that the other end of this very turn has hung up is passed over.
                    self._pass_on(key.fileobj, key.data)

    def _accept(self) -> None:
        client, _ = self._listener.accept()
        server = socket.create_connection(self._target)
        for end, other in ((client, server), (server, client)):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._selector.register(end, selectors.EVENT_READ, (other, client))

    def _pass_on(self, end: socket.socket, ends: tuple[socket.socket, socket.socket]) -> None:
        other, client = ends
        try:
            data = end.recv(_MOST)
            if data:
                other.sendall(data)
        except OSError:
            data = b""
        if not data:
            self._hang_up(end, other)
        elif end is not client:
            self._asked.discard(client)
        elif client not in self._asked:
            self._asked.add(client)
            self.round_trips += 1

    def _hang_up(self, *ends: socket.socket) -> None:
        for end in ends:
            self._asked.discard(end)
            self._selector.unregister(end)
            end.close()

"""A free port of this machine."""

import secrets
import socket

# Below those that systems hand out by themselves: while a killed server is away, nobody else is
# given its port, and a client that knocks again and again cannot meet itself there.
PORTS = range(20_000, 32_000)

_given: set[int] = set()


def free_port() -> int:
    """Return a port of the loopback interface that nobody listens on; never the same one twice."""
    while True:
        port = secrets.choice(PORTS)
        if port in _given:
            continue
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            _given.add(port)
            return port

"""A free port of this machine."""

import secrets
import socket

# Below those that systems hand out by themselves: while a killed server is away, nobody else is
# given its port, and a client that knocks again and again cannot meet itself there.
PORTS = range(20_000, 32_000)


def free_port() -> int:
    """Return a port of the loopback interface that nobody listens on."""
    while True:
        port = secrets.choice(PORTS)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port

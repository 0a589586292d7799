"""A RabbitMQ of our own, with a node, ports and a port mapper that nobody shares."""

import re
import shutil
import signal
import socket
from pathlib import Path

from servers import debian
from servers.port import free_port
from servers.process import Process
from servers.server import GivenServer, OwnServer, Server
from servers.source import Given, Installed, Missing, given

VARIABLE = "HEPHAESTUS_RABBITMQ_URL"
DEBIAN = Path("/usr/lib/rabbitmq/bin")
"""Where Debian has the programs; those on its PATH refuse every user but its own."""

ERLANG = "-kernel inet_dist_use_interface {127,0,0,1} +sbwt none"
"""Talk to nobody outside; do not keep a core busy while there is nothing to do."""


def find() -> Given | Installed | Missing:
    """Return the RabbitMQ that the tests use."""
    return given(VARIABLE) or find_installed()


def find_installed() -> Installed | Missing:
    """Return the RabbitMQ of this machine."""
    found = shutil.which("rabbitmq-server", path=DEBIAN) or shutil.which("rabbitmq-server")
    if found is None or _epmd() is None:
        remedy = f"install it, or set {VARIABLE}"
        if debian.can_install():
            remedy = "apt-get installs it when a test asks for it"
        return Missing(name="RabbitMQ", remedy=remedy)
    folder = Path(found).parent
    number = re.search(r"-(\d+(\.\d+)+)", str(Path(found).resolve()))
    version = f"RabbitMQ {number[1] if number else 'of unknown version'}"
    return Installed(version=version, origin=str(folder), base=folder, programs=Path())


def provide() -> Given | Installed | Missing:
    """Return the RabbitMQ that the tests use; bring it here first, where we may."""
    return given(VARIABLE) or install()


def install() -> Installed | Missing:
    """Return the RabbitMQ of this machine; bring it here first, where we may."""
    found = find_installed()
    if isinstance(found, Installed) or not debian.can_install():
        return found
    problem = debian.install("rabbitmq-server", DEBIAN / "rabbitmq-server")
    return Missing(name="RabbitMQ", remedy=problem) if problem else find_installed()


def server_from(source: Given | Installed) -> Server:
    """Return a server that is not yet started."""
    return GivenServer(source) if isinstance(source, Given) else RabbitmqServer(source)


class RabbitmqServer(OwnServer):
    """A RabbitMQ that keeps durable queues and persistent messages through `kill` and `restart`."""

    def __init__(self, source: Installed) -> None:
        super().__init__(source)
        self.url = f"amqp://guest:guest@127.0.0.1:{self.port}/%2F"
        self.port_mapper: Process | None = None
        self._mapper_port = free_port()
        self._environ = self._make_environ()

    def launch(self) -> Process:
        """Run the port mapper, then the node."""
        # A node would begin one by itself, which nobody could find to end it.
        self.port_mapper = self.begin(str(_epmd()), "-address", "127.0.0.1", **self._environ)
        self.port_mapper.wait_until(lambda: _accepts(self._mapper_port), seconds=10)
        process = self.begin("rabbitmq-server", **self._environ)
        process.wait_until(self._is_ready, seconds=60)
        return process

    def end(self, process: Process) -> None:
        """Ask the node to end, then the port mapper."""
        process.stop(signal.SIGTERM)
        self._end_port_mapper()

    def kill(self) -> None:
        """End the node and its port mapper at once; the data stay."""
        super().kill()
        self._end_port_mapper()

    def close(self) -> None:
        """Stop it, and a port mapper without a node, and remove its folder."""
        try:
            super().close()
        finally:
            self._end_port_mapper()

    def _end_port_mapper(self) -> None:
        mapper, self.port_mapper = self.port_mapper, None
        if mapper is not None:
            mapper.kill()

    def _make_environ(self) -> dict[str, str]:
        folder = self.place.make("data")
        plugins = folder / "plugins"
        plugins.write_text("[].", "utf-8")
        return {
            "ERL_CRASH_DUMP_SECONDS": "0",
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "ERL_EPMD_PORT": str(self._mapper_port),
            "RABBITMQ_CONF_ENV_FILE": str(folder / "none"),
            "RABBITMQ_CONFIG_FILE": str(folder / "none"),
            "RABBITMQ_DIST_PORT": str(free_port()),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(plugins),
            "RABBITMQ_LOGS": "-",
            "RABBITMQ_LOG_BASE": str(folder),
            "RABBITMQ_MNESIA_BASE": str(folder),
            "RABBITMQ_NODENAME": "hephaestus@localhost",
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODE_PORT": str(self.port),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": ERLANG,
            "RUNNING_UNDER_SYSTEMD": "yes",  # the script becomes the node
        }

    def _is_ready(self) -> bool:
        """Return whether it offers to talk AMQP."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=5) as connection:
                connection.sendall(b"AMQP\x00\x00\x09\x01")
                return connection.recv(1) == b"\x01"
        except OSError:
            return False


def _epmd() -> str | None:
    """Return Erlang's port mapper."""
    erl = shutil.which("erl")
    return shutil.which("epmd") or (erl and shutil.which("epmd", path=Path(erl).resolve().parent))


def _accepts(port: int) -> bool:
    """Return whether somebody listens on a port."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
    except OSError:
        return False
    return True

"""What every server offers, whoever runs it."""

import os
from abc import ABC, abstractmethod
from types import TracebackType
from typing import Self

from servers.account import Account
from servers.place import Place
from servers.port import free_port
from servers.process import Process
from servers.source import Given, Installed


class NotOurs(RuntimeError):
    """A server that somebody else runs is not ours to start, stop or kill."""

    def __init__(self, version: str) -> None:
        super().__init__(version)
        self.version = version

    def __str__(self) -> str:
        return f"{self.version} is run by somebody else; ask for one of your own"


class Server(ABC):
    """A server that can be reached at a URL while the context lasts."""

    url: str
    version: str

    @abstractmethod
    def start(self) -> None:
        """Start it, with the data that it had, and return when it is ready."""

    @abstractmethod
    def stop(self) -> None:
        """End it in good order; its data stay."""

    @abstractmethod
    def kill(self) -> None:
        """End it and every process of it at once, as a power failure would; its data stay."""

    @abstractmethod
    def close(self) -> None:
        """Stop it and remove its data."""

    def restart(self) -> None:
        """Stop it, where it still runs, and start it."""
        self.stop()
        self.start()

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


class GivenServer(Server):
    """A server that somebody else runs: there before us, and after."""

    def __init__(self, source: Given) -> None:
        self.url = source.url
        self.version = str(source)

    def start(self) -> None:
        """Leave it as it is."""

    def stop(self) -> None:
        """Refuse."""
        raise NotOurs(self.version)

    def kill(self) -> None:
        """Refuse."""
        raise NotOurs(self.version)

    def close(self) -> None:
        """Leave it as it is."""


class OwnServer(Server):
    """A server in a process, a port and a folder of its own."""

    def __init__(self, source: Installed) -> None:
        self.version = str(source)
        self.port = free_port()
        self.place = Place(Account.for_servers())
        self.programs = self.place.programs(source)
        self.process: Process | None = None

    def start(self) -> None:
        """Start it and return when it is ready."""
        if self.process is None:
            self.process = self.launch()

    def stop(self) -> None:
        """End it in good order; its data stay."""
        process, self.process = self.process, None
        if process is not None:
            self.end(process)

    def kill(self) -> None:
        """End it and every process of it at once; its data stay."""
        process, self.process = self.process, None
        if process is not None:
            process.kill()

    def close(self) -> None:
        """Stop it and remove its folder."""
        try:
            self.stop()
        finally:
            self.place.remove()

    @abstractmethod
    def launch(self) -> Process:
        """Return the process when it is ready."""

    @abstractmethod
    def end(self, process: Process) -> None:
        """Ask the process to end."""

    def begin(self, *command: str, **environ: str) -> Process:
        """Begin one of its programs, in its folder."""
        program, *arguments = command
        return Process(
            [self.programs / program, *arguments],
            account=self.place.account,
            folder=self.place.folder,
            log=self.place.folder / "log",
            environ={
                "HOME": str(self.place.folder),
                "LC_ALL": "C",
                "PATH": os.environ.get("PATH", os.defpath),
                **environ,
            },
        )

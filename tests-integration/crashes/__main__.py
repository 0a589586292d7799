"""The command: `python -m crashes`."""

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import ModuleType
from urllib.parse import urlsplit, urlunsplit

import crashes
from crashes.report import HEAD, line
from crashes.scenarios import SCENARIOS, Place, Plan, Scenario, play
from crashes.setting import Setting
from servers import postgres, rabbitmq, redis
from servers.server import Server
from servers.source import Missing
from servers.sql import execute

_SPACE = "crashes"
_SECONDS_OF_A_KILL = 0.5
_SERVERS: dict[str, ModuleType] = {"postgres": postgres, "redis": redis, "rabbitmq": rabbitmq}


def main(argv: list[str]) -> int:
    """Play the scenarios, and print the table; 1 if something was lost or came twice."""
    wanted = _arguments(argv)
    plan = Plan(
        runs=wanted.runs,
        kills=wanted.kills,
        seconds=wanted.seconds or wanted.kills * _SECONDS_OF_A_KILL,
        seed=wanted.seed,
    )
    is_clean = True
    _say("\n".join(HEAD))
    for name in wanted.scenario or SCENARIOS:
        with tempfile.TemporaryDirectory(prefix="crashes-") as folder, ExitStack() as stack:
            place = stack.enter_context(_place(SCENARIOS[name], wanted.folder or folder))
            verdict = asyncio.run(play(SCENARIOS[name], plan, place))
        _say(line(name, verdict))
        faults = (*verdict.lost, *verdict.twice, *verdict.faults, *verdict.executions.unexplained)
        for fault in faults:
            sys.stderr.write(f"    {fault}\n")
        is_clean = is_clean and verdict.is_clean
    return int(not is_clean)


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


@contextmanager
def _place(scenario: Scenario, folder: str) -> Iterator[Place]:
    """Run servers for one scenario."""
    with ExitStack() as stack:
        database = stack.enter_context(_server(scenario.storage))
        broker = stack.enter_context(_server(scenario.broker)) if scenario.broker else None
        url = database.url
        if scenario.storage == "postgres":
            execute(url, f"CREATE SCHEMA {_SPACE}")
            url = urlunsplit(urlsplit(url)._replace(scheme="postgresql+asyncpg"))
        Path(folder).mkdir(exist_ok=True, parents=True)
        setting = Setting(
            storage=url, space=_SPACE, folder=folder, broker=broker.url if broker else None
        )
        yield Place(setting=setting, database=database, broker=broker)


def _server(name: str) -> Server:
    module = _SERVERS[name]
    source = module.install() if name == "rabbitmq" else module.find_installed()
    if isinstance(source, Missing):
        raise SystemExit(str(source))
    server: Server = module.server_from(source)
    return server


def _arguments(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m crashes", description=crashes.__doc__)
    parser.add_argument("--runs", type=int, default=3000, help="how many runs a scenario starts")
    parser.add_argument("--kills", type=int, default=60, help="how many workers are killed")
    parser.add_argument("--seconds", type=float, help="over how long; by default half one a kill")
    parser.add_argument("--seed", type=int, default=1, help="what chance depends on")
    parser.add_argument(
        "--scenario", action="append", choices=SCENARIOS, help="only this one; may be repeated"
    )
    parser.add_argument("--folder", help="keep notes and logs in this folder")
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

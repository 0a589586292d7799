"""Runs the demo: `python -m demo [PATH]`.

Exit status: 0; 1 if a run ended otherwise than its order says; 2 if there was nothing to run,
or a line of the file was skipped.
"""

import argparse
import asyncio
import io
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from demo import people, summary
from demo.display import progress
from demo.orders import Fault, Order, read
from demo.tally import Tally
from hephaestus import Hephaestus, Instance, LocalRunner

SHIPPED = Path(__file__).with_name("orders.jsonl")
MOST_FAULTS = 20


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the orders of a file, and return the exit status."""
    path = _parsed(arguments)
    console = Console(emoji=False, highlight=False, markup=False)
    try:
        orders, faults = read(path)
    except OSError as error:
        print(f"cannot read {path}: {error.strerror or error}", file=sys.stderr)
        return 2
    _report(path, faults)
    if not orders:
        print(f"{path} holds no order", file=sys.stderr)
        return 2
    console.print(f"orders in {path}: {len(orders):,}")
    try:
        runs = asyncio.run(_run(console, orders))
    except KeyboardInterrupt:
        print("interrupted; memory storage keeps nothing", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # Whoever read the output has gone, and Python's last flush must not complain either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    summary.show(console, runs)
    surprises = summary.surprises(orders, runs)
    for surprise in surprises:
        print(surprise, file=sys.stderr)
    if surprises:
        return 1
    console.print("Every run ended as its order says.")
    if faults:
        print(f"lines skipped: {len(faults):,}, as told above", file=sys.stderr)
        return 2
    return 0


def _parsed(arguments: Sequence[str] | None) -> Path:
    parser = argparse.ArgumentParser(
        prog="demo", description="Watch orders flow through a workflow."
    )
    parser.add_argument(
        "path",
        nargs="?",
        type=Path,
        default=SHIPPED,
        help="orders as JSON Lines, in the form of the shipped file: %(default)s",
    )
    path: Path = parser.parse_args(arguments).path
    return path


def _report(path: Path, faults: Sequence[Fault]) -> None:
    for fault in faults[:MOST_FAULTS]:
        print(f"{path}:{fault.line}: skipped: {fault.reason}", file=sys.stderr)
    if len(faults) > MOST_FAULTS:
        print(f"{path}: more lines skipped: {len(faults) - MOST_FAULTS:,}", file=sys.stderr)


async def _run(console: Console, orders: Sequence[Order]) -> list[Instance]:
    with Tally() as tally:
        async with (
            progress(console, tally, len(orders)),
            Hephaestus(runner=LocalRunner(poll=0.1)),  # the timers of the demo are short
        ):
            return await people.fulfil(orders)


if __name__ == "__main__":
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # for a terminal without the signs of the diagram
    sys.exit(main())

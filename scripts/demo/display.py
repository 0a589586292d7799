"""Shows the tally while it grows: a picture in a terminal, lines elsewhere."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from demo.tally import Tally
from demo.workflow import OrderFlow

COLOURS = {
    "running": "cyan",
    "waiting": "yellow",
    "halted": "magenta",
    "completed": "green",
    "failed": "red",
    "cancelled": "bright_black",
}
STEPS = sorted(
    (key for key in OrderFlow.graph.steps if key != "done"),
    key=lambda key: len(OrderFlow.graph.ancestors[key]),
)
WIDTH = 18


@asynccontextmanager
async def progress(
    console: Console, tally: Tally, total: int, every: float | None = None
) -> AsyncIterator[None]:
    """Show the tally within the block, anew every so many seconds; lines only where it moved."""
    show, usual = (_picture, 0.1) if console.is_interactive else (_lines, 1)
    showing = asyncio.create_task(show(console, tally, total, usual if every is None else every))
    try:
        yield
    finally:
        showing.cancel()
        with suppress(asyncio.CancelledError):
            await showing


async def _picture(console: Console, tally: Tally, total: int, every: float) -> None:
    began = time.monotonic()
    with Live(console=console, auto_refresh=False) as live:
        try:
            while True:
                live.update(_drawn(tally, total, time.monotonic() - began), refresh=True)
                await asyncio.sleep(every)
        finally:
            live.update(_drawn(tally, total, time.monotonic() - began), refresh=True)


async def _lines(_: Console, tally: Tally, total: int, every: float) -> None:
    began = time.monotonic()
    told = ""
    try:
        while True:
            await asyncio.sleep(every)
            told = _tell(tally, total, began, told)
    finally:
        _tell(tally, total, began, told)


def _tell(tally: Tally, total: int, began: float, told: str) -> str:
    """Print how far it is unless that was told last, and return it."""
    counts = ", ".join(f"{tally.statuses[s]:,} {s}" for s in COLOURS if tally.statuses[s])
    news = f"{tally.ended:,} of {total:,} ended: {counts}"
    if news != told:
        print(f"{time.monotonic() - began:4.1f} s: {news}", flush=True)
    return news


def _drawn(tally: Tally, total: int, seconds: float) -> RenderableType:
    head = Text.assemble(
        (f"{tally.ended:,}", "bold"),
        f" of {total:,} orders have ended; failed attempts: {tally.repeated:,}; {seconds:.1f} s",
    )
    statuses = _bars(((s, tally.statuses[s], colour) for s, colour in COLOURS.items()), total)
    at = tally.at()
    steps = _bars(((step, at[step], "blue") for step in STEPS), max(total // 3, 1))
    news = Table.grid(padding=(0, 2))
    for order, happening in tally.news:
        news.add_row(Text(order, "bold"), Text(happening, no_wrap=True, overflow="ellipsis"))
    for _ in range(len(tally.news), tally.news.maxlen or 0):
        news.add_row("")
    columns = Table.grid(padding=(0, 4))
    columns.add_row(statuses, steps)
    return Group("", head, "", columns, "", news)


def _bars(rows: Iterable[tuple[str, int, str]], full: int) -> Table:
    table = Table.grid(padding=(0, 1))
    table.add_column()
    table.add_column(justify="right", min_width=5)
    table.add_column(width=WIDTH)
    for name, count, colour in rows:
        length = min(WIDTH, -(-count * WIDTH // full))
        table.add_row(name, f"{count:,}", Text("━" * length, colour))
    return table

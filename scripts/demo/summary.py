"""What there is to see at the end: how the orders ended, the story of one, the workflow's shape."""

from collections import Counter
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from demo.display import COLOURS
from demo.endings import ending, expected
from demo.orders import Order
from demo.workflow import OrderFlow
from hephaestus import Entry, Instance, diagram

MEANINGS = {
    "shipped": "paid, packed, handed to a carrier",
    "unpaid": "the payment did not come in time",
    "declined": "the manager found it too large",
    "suspicious": "the fraud bureau warned",
    "refused": "nobody delivers there",
    "cancelled": "the customer changed their mind",
    "failed": "no postcode: a retry would not help",
}


def surprises(orders: Sequence[Order], runs: Sequence[Instance]) -> list[str]:
    """Return a sentence for each run that ended otherwise than its order says."""
    return [
        f"{run.id} ended as {ending(run)}, not as {expected(order)}"
        + (f": {run.error}" if run.error else "")
        for order, run in zip(orders, runs, strict=True)
        if ending(run) != expected(order)
    ]


def show(console: Console, runs: Sequence[Instance]) -> None:
    """Print the diagram, a history and, where the eye ends, the summary."""
    # The run that was written most often.
    longest = max(runs, key=lambda run: run.revision)
    console.print(Text("\nThe workflow\n", "bold"))
    console.print(diagram.text(OrderFlow), "", _story(longest), "", _endings(runs), "", sep="\n")


def _endings(runs: Sequence[Instance]) -> Table:
    table = Table(title="How the orders ended", title_style="bold", title_justify="left", box=None)
    for heading in ("status", "ending", "", "orders"):
        table.add_column(heading, justify="right" if heading == "orders" else "left")
    counts = Counter((run.status, ending(run)) for run in runs)
    for (status, how), count in counts.most_common():
        table.add_row(Text(status, COLOURS[status]), how, MEANINGS.get(how, ""), f"{count:,}")
    return table


def _story(run: Instance) -> Table:
    title = f"The history of {run.id}, the run with the most to tell"
    table = Table(title=title, title_style="bold", title_justify="left", box=None)
    for heading in ("after", "step", "what", "attempt", ""):
        table.add_column(heading, no_wrap=heading != "")
    for entry in run.execution_history:
        after = (entry.timestamp - run.created_at).total_seconds()
        attempt = str(entry.attempt or "")
        what = f"{entry.action} {entry.event or ''}"
        table.add_row(f"{after:.3f} s", entry.step, what, attempt, Text(_details(entry)))
    return table


def _details(entry: Entry) -> str:
    if entry.error is not None:
        return f"{entry.error.type}: {entry.error.message}"
    told = {**(entry.input or {}), **(entry.output or {})}
    return ", ".join(f"{name}={value}" for name, value in told.items())

"""Sales by region: `python pipeline.py sales.csv [2026-11-20]`.

A file is split into shards, which are cleaned at the same time; then totals are joined and
written. With DATABASE_URL a pipeline that was killed goes on with the same command.
"""

import asyncio
import csv
import os
import sys
from collections import Counter
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

from hephaestus import (
    AlreadyRunning,
    Done,
    Hephaestus,
    LocalRunner,
    Retry,
    Step,
    StepContext,
    Workflow,
    step,
)
from hephaestus.storage import Storage

SHARDS = 4


@step
def split(ctx: StepContext) -> dict[str, Any]:
    """Count the rows; what is large stays where it is, and shards are ranges of it."""
    rows = len(read(ctx.initial["file"]))
    edges = [rows * number // SHARDS for number in range(SHARDS + 1)]
    return {"ranges": [list(pair) for pair in pairwise(edges)]}


class Clean(Step):
    """Adds up one shard, and counts what is unusable."""

    retry = Retry(max_attempts=3, initial_delay=0.1)

    def __init__(self, number: int) -> None:
        self.number = number
        self.key = f"clean_{number}"

    def execute(self, ctx: StepContext) -> dict[str, Any]:
        """Add up the shard's rows; a plain function, so shards run in threads."""
        first, end = ctx[split]["ranges"][self.number]
        totals: Counter[str] = Counter()
        unusable = 0
        for row in read(ctx.initial["file"])[first:end]:
            if row["amount"].isdigit():
                totals[row["region"]] += int(row["amount"])
            else:
                unusable += 1
        return {"totals": dict(totals), "unusable": unusable}


shards = [Clean(number) for number in range(SHARDS)]


@step
def join(ctx: StepContext) -> dict[str, Any]:
    """Add up the shards."""
    totals: Counter[str] = Counter()
    for shard in shards:
        totals.update(ctx[shard]["totals"])
    unusable = sum(ctx[shard]["unusable"] for shard in shards)
    return {"totals": dict(sorted(totals.items())), "unusable": unusable}


@step
def write_report(ctx: StepContext) -> dict[str, Any]:
    """Write the report beside the file; written twice, it is the same."""
    report = Path(ctx.initial["file"]).with_suffix(".report.csv")
    with report.open("w", encoding="utf-8", newline="") as target:
        writer = csv.writer(target)
        writer.writerow(["region", "amount"])
        writer.writerows(ctx[join]["totals"].items())
    return {"report": str(report), **ctx[join]}


class Sales(Workflow, unique="salesid", name="pipeline.Sales", tags=["reports"]):
    """One day's sales; its id is the day, so a day is never reported twice at once."""

    start_step = split
    transitions = {
        split: {"done": shards},
        **{shard: {"done": join} for shard in shards},
        join: {"done": write_report},
        write_report: {"done": Done},
    }


def read(file: str) -> list[dict[str, str]]:
    """Return the rows of a file."""
    with Path(file).open(encoding="utf-8", newline="") as source:
        return list(csv.DictReader(source))


def new_storage() -> Storage | None:
    """Return what DATABASE_URL names; without it the pipeline lives in memory."""
    url = os.environ.get("DATABASE_URL")
    if url is None:
        return None
    from hephaestus_postgres import PostgresStorage

    return PostgresStorage(url)


async def main(file: str, day: str = "") -> dict[str, Any]:
    """Report a day; go on with it where it was left."""
    value = (day or datetime.now(UTC).date().isoformat()).replace("-", "")
    # What a killed process held is taken over when its leases have ended: sooner than by default.
    async with Hephaestus(new_storage(), LocalRunner(lease=5)) as app:
        try:
            await Sales.start(value, {"file": file})
        except AlreadyRunning as running:
            print(f"going on with run {running.run_id}")
        sales = await app.wait(f"salesid::{value}")
        if sales.status == "failed":
            sys.exit(f"{sales.id} failed: {sales.error}")
        return dict(sales.result or {})


if __name__ == "__main__":
    print(asyncio.run(main(str(Path(sys.argv[1]).resolve()), *sys.argv[2:])))

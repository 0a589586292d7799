"""The command: `python -m bench`."""

import argparse
import json
import shlex
import sys
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import bench
from bench import machine, report, rounds
from bench.registry import JOBS
from bench.report import Result

_OUTPUT = Path(__file__).resolve().parents[2] / ".cache" / "bench"


def main(argv: list[str]) -> int:
    """Measure the jobs, print the table and write it; 1 if a contender failed at its job."""
    wanted = _arguments(argv)
    about = {
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "command": shlex.join(["python", "-m", "bench", *argv]),
        "machine": machine.describe(),
    }
    say = partial(print, file=sys.stderr, flush=True)
    results = []
    for job in JOBS:
        if wanted.job in (None, job.name):
            size = job.quick_size if wanted.quick else job.size
            records = rounds.run(job, rounds=wanted.rounds, size=size, say=say)
            results.append(Result(job=job, size=size, rounds=wanted.rounds, records=records))
    table = report.as_markdown(about, results)
    print(table)
    wanted.output.mkdir(parents=True, exist_ok=True)
    (wanted.output / "bench.md").write_text(table, "utf-8")
    written = json.dumps(report.as_json(about, results), indent=2, ensure_ascii=False)
    (wanted.output / "bench.json").write_text(f"{written}\n", "utf-8")
    say(f"written to {wanted.output}")
    return int(any(record.failure for result in results for record in result.records))


def _arguments(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        description=bench.__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--quick", action="store_true", help="3 short rounds instead of 7 long")
    parser.add_argument("--rounds", type=int, help="how many rounds")
    parser.add_argument("--job", choices=[job.name for job in JOBS], help="this job alone")
    parser.add_argument("--output", type=Path, default=_OUTPUT, help="the folder to write into")
    wanted = parser.parse_args(argv)
    if wanted.rounds is None:
        wanted.rounds = 3 if wanted.quick else 7
    if wanted.rounds < 1:
        parser.error("--rounds is 1 or more")
    return wanted


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""The command: `python -m bench`."""

import argparse
import json
import shlex
import sys
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import bench
from bench import machine, plot, report, rounds
from bench.backends import Backends
from bench.contract import Contender, Job
from bench.jobs.line import CONCURRENCY
from bench.registry import JOBS, contenders
from bench.report import Result

_OUTPUT = Path(__file__).resolve().parents[2] / ".cache" / "bench"
_ROUNDS, _QUICK_ROUNDS = 5, 1
_COMMAND = ("python3", "scripts/run.py", "rivals:bench")


def main(argv: list[str]) -> int:
    """Measure the jobs, print the table and write it; 1 if a contender failed at its job."""
    wanted = _arguments(argv)
    about: dict[str, Any] = {
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "command": shlex.join([*_COMMAND, *argv]),
        "commit": machine.commit(),
        "machine": machine.describe(),
    }
    say = partial(print, file=sys.stderr, flush=True)
    results: list[Result] = []
    with Backends() as backends:
        for job in _chosen(wanted):
            size = _size(job, is_quick=wanted.quick)
            count = min(wanted.rounds, job.most_rounds or wanted.rounds)
            who = _contenders(job, is_quick=wanted.quick)
            records = rounds.run(who, rounds=count, size=size, backends=backends, say=say)
            results.append(Result(job=job, size=size, rounds=count, records=records))
            about["servers"] = backends.versions
            # After each job: an hour's work is not lost with its last minute.
            table = write(wanted.output, about, results)
    print(table)
    say(f"written to {wanted.output}")
    return int(any(record.failure for result in results for record in result.records))


def write(folder: Path, about: dict[str, Any], results: list[Result]) -> str:
    """Write what there is so far, and return the table."""
    table = report.as_markdown(about, results)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "bench.md").write_text(table, "utf-8")
    written = json.dumps(report.as_json(about, results), indent=2, ensure_ascii=False)
    (folder / "bench.json").write_text(f"{written}\n", "utf-8")
    for result in results:
        if result.job is CONCURRENCY:
            (folder / "concurrency.svg").write_text(plot.of_rates(result.records), "utf-8")
    return table


def _chosen(wanted: argparse.Namespace) -> list[Job]:
    named = [job for job in JOBS if job.name in (wanted.job or ())]
    quick = [job for job in JOBS if job.quick_size is not None]
    return named or (quick if wanted.quick else list(JOBS))


def _contenders(job: Job, *, is_quick: bool) -> list[Contender]:
    found = contenders(job)
    return [one for one in found if not one.is_pinned] if is_quick else found


def _size(job: Job, *, is_quick: bool) -> float:
    if not is_quick:
        return job.size
    # A job that is named is wanted, however long it takes; so it is made as short as can be.
    return job.size / 10 if job.quick_size is None else job.quick_size


def _arguments(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        description=bench.__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    names = [job.name for job in JOBS]
    parser.add_argument(
        "--quick", action="store_true", help="one short round of most jobs, nobody pinned to a core"
    )
    parser.add_argument("--rounds", type=int, help=f"how many rounds; {_ROUNDS} if left out")
    parser.add_argument(
        "--job", action="append", choices=names, metavar="JOB",
        help=f"this job alone; may be given several times: {', '.join(names)}",
    )  # fmt: skip
    parser.add_argument("--output", type=Path, default=_OUTPUT, help="the folder to write into")
    wanted = parser.parse_args(argv)
    if wanted.rounds is None:
        wanted.rounds = _QUICK_ROUNDS if wanted.quick else _ROUNDS
    if wanted.rounds < 1:
        parser.error("--rounds is 1 or more")
    return wanted


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

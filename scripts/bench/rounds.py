"""Measuring each contender once a round, and keeping what came of it."""

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field

from bench import registry
from bench.contract import Contender, Figures, Job

_LONGEST = 600
"""Seconds after which a measurement is given up."""


@dataclass(kw_only=True)
class Record:
    """What the measurements of one contender came to."""

    contender: Contender
    samples: list[Figures] = field(default_factory=list)
    versions: dict[str, str] = field(default_factory=dict)
    missing: str | None = None
    """What it needs and is not installed."""

    failure: str | None = None
    """What went wrong when it was measured."""

    @property
    def measured(self) -> bool:
        """Whether there is a sample of every round."""
        return self.missing is None and self.failure is None


def run(job: Job, *, rounds: int, size: int, say: Callable[[str], object]) -> list[Record]:
    """Measure every contender of a job; one that cannot be measured is left alone from then on."""
    records = [Record(contender=contender) for contender in registry.contenders(job)]
    for number in range(1, rounds + 1):
        for record in records:
            if record.measured:
                _measure(record, size)
                say(f"{job.name}, round {number} of {rounds}: {_told(record)}")
    return records


def _measure(record: Record, size: int) -> None:
    contender = record.contender
    command = [sys.executable, "-m", "bench.measure", contender.job.name, contender.name, str(size)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_LONGEST, check=True)
    except subprocess.TimeoutExpired:
        record.failure = f"it was not done after {_LONGEST} s"
    except subprocess.CalledProcessError as error:
        record.failure = (error.stderr.strip().splitlines() or [f"exit {error.returncode}"])[-1]
    else:
        # The last line: a library may print on its own.
        outcome = json.loads(done.stdout.splitlines()[-1])
        record.missing = outcome.get("missing")
        if record.missing is None:
            record.samples.append(outcome["figures"])
            record.versions = outcome["versions"]


def _told(record: Record) -> str:
    title = record.contender.title
    if not record.measured:
        return f"{title}: {record.missing or record.failure}"
    compared = record.contender.job.compared
    return f"{title}: {record.samples[-1][compared]:,.0f} {compared}"

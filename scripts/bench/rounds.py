"""Measuring each contender once a round, and keeping what came of it."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import fmean
from typing import Any

from bench import environments
from bench.backends import Backends, NoServer
from bench.child import Child, Failed
from bench.contract import Contender, Figures, Setting
from bench.digits import number
from bench.watch import Watch

_ATTEMPTS = 2
_LONGEST = 1200.0
"""Seconds after which a measurement is given up."""


@dataclass(kw_only=True)
class Record:
    """What the measurements of one contender came to."""

    contender: Contender
    samples: list[Figures] = field(default_factory=list)
    versions: dict[str, str] = field(default_factory=dict)
    size: float = 0
    missing: str | None = None
    """What it needs and is not to be had."""

    failure: str | None = None
    """What went wrong when it was measured."""

    @property
    def measured(self) -> bool:
        """Whether there is a sample of every round."""
        return self.missing is None and self.failure is None and bool(self.samples)

    @property
    def is_given_up(self) -> bool:
        """Whether it is left alone from now on."""
        return self.missing is not None or self.failure is not None


def run(
    contenders: Sequence[Contender],
    *,
    rounds: int,
    size: float,
    backends: Backends,
    say: Callable[[str], object],
) -> list[Record]:
    """Measure every contender of a job; one that cannot be measured is left alone from then on."""
    records = [Record(contender=contender) for contender in contenders]
    for turn in range(1, rounds + 1):
        for record in records:
            if not record.is_given_up:
                measure(record, size, backends)
                job = record.contender.job
                say(f"{job.name}, round {turn} of {rounds}: {_told(record)}")
    return records


def measure(record: Record, size: float, backends: Backends) -> None:
    """Measure a contender once, and write down what came of it; a failure is tried again once."""
    record.size = min(size, record.contender.most or size)
    try:
        python = environments.python_of(record.contender.environment)
    except Failed as error:
        record.missing = str(error)
        return
    for _ in range(_ATTEMPTS):
        record.failure = None
        _measure(record, python, backends)
        if record.failure is None:
            break


def _measure(record: Record, python: Path, backends: Backends) -> None:
    contender = record.contender
    try:
        with backends.setting(contender.job, record.size) as setting, ExitStack() as stack:
            watch = stack.enter_context(Watch(setting)) if contender.job.is_watched else None
            outcomes = _outcomes(contender, setting, watch, lambda s: _child(contender, s, python))
    except NoServer as error:
        record.missing = str(error)
    except Failed as error:
        record.failure = str(error)
    else:
        _note(record, outcomes, watch)


def _child(contender: Contender, setting: Setting, python: Path) -> Child:
    return Child(contender, setting, python, seconds=_LONGEST)


def _outcomes(
    contender: Contender,
    setting: Setting,
    watch: Watch | None,
    start: Callable[[Setting], Child],
) -> Sequence[Mapping[str, Any]]:
    """Start the processes, let them pass their marks together, and return what they say."""
    given = watch.setting if watch else setting
    with ExitStack() as stack:
        children, messages = [], []
        for part in range(contender.job.processes):
            # Each is ready before the next is started: the first makes the tables.
            child = stack.enter_context(start(replace(given, part=part)))
            children.append(child)
            messages.append(child.next())
        while all("mark" in message for message in messages):
            if watch:
                message = messages[0]
                watch.mark(message["mark"], per=message["per"], of=message["of"])
            for child in children:
                child.go()
            messages = [child.next() for child in children]
    return messages


def _note(record: Record, outcomes: Sequence[Mapping[str, Any]], watch: Watch | None) -> None:
    missing = [outcome["missing"] for outcome in outcomes if "missing" in outcome]
    if missing:
        record.missing = missing[0]
        return
    samples = [outcome["figures"] for outcome in outcomes]
    whole = {name: fmean(sample[name] for sample in samples) for name in samples[0]}
    if watch:
        whole |= watch.figures
    elif len(samples) > 1:
        compared = record.contender.job.compared
        whole[compared] = sum(sample[compared] for sample in samples)
    record.samples.append(whole)
    record.versions = outcomes[0]["versions"]


def _told(record: Record) -> str:
    title = record.contender.title
    if not record.measured:
        return f"{title}: {record.missing or record.failure}"
    compared = record.contender.job.compared
    return f"{title}: {number(record.samples[-1][compared])} {compared}"

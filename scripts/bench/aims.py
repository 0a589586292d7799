"""Whether what was aimed at was met."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from bench.contract import Aim, Job
from bench.rounds import Record


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What an aim came to."""

    aim: Aim
    value: float | None
    """The figure, or how many times the best of the others; None: it was not measured."""

    best: str | None = None
    """Who the best of the others is."""

    @property
    def is_met(self) -> bool | None:
        """Whether it was met; None: nobody knows."""
        if self.value is None:
            return None
        least = -float("inf") if self.aim.at_least is None else self.aim.at_least
        most = float("inf") if self.aim.at_most is None else self.aim.at_most
        return least <= self.value <= most


def verdicts(job: Job, records: Sequence[Record]) -> list[Verdict]:
    """Return what each aim of a job came to."""
    return [_verdict(aim, job, records) for aim in job.aims]


def _verdict(aim: Aim, job: Job, records: Sequence[Record]) -> Verdict:
    named = {record.contender.name: record for record in records if _has(record, aim.figure)}
    own = [name for name, record in named.items() if record.contender.ours]
    of = named.get(aim.of or next(iter(own), ""))
    if of is None:
        return Verdict(aim=aim, value=None)
    if not aim.against:
        return Verdict(aim=aim, value=_median(of, aim.figure))
    others = [named[name] for name in aim.against if name in named]
    if not others:
        return Verdict(aim=aim, value=None)
    choose = max if job.more_is_better else min
    best = choose(others, key=lambda record: _median(record, aim.figure))
    pairs = zip(of.samples, best.samples, strict=True)
    value = median(ours[aim.figure] / theirs[aim.figure] for ours, theirs in pairs)
    return Verdict(aim=aim, value=value, best=best.contender.title)


def _has(record: Record, figure: str) -> bool:
    return record.measured and figure in record.samples[0]


def _median(record: Record, figure: str) -> float:
    return median(sample[figure] for sample in record.samples)

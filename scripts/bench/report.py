"""The figures of all rounds as a table and as JSON."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from bench.aims import Verdict, verdicts
from bench.contract import Job
from bench.digits import number
from bench.jobs.line import CONCURRENCY
from bench.rounds import Record

_FORM = "; median (least to most)"


@dataclass(frozen=True, kw_only=True)
class Result:
    """One job's records."""

    job: Job
    size: float
    rounds: int
    records: Sequence[Record]


def as_json(about: Mapping[str, Any], results: Iterable[Result]) -> dict[str, Any]:
    """Return everything, each sample included."""
    return {**about, "jobs": [_job(result) for result in results]}


def as_markdown(about: Mapping[str, Any], results: Iterable[Result]) -> str:
    """Return a table for each job: medians, with the range of the rounds in brackets."""
    facts = [*about["machine"].values(), *about.get("servers", {}).values()]
    head = f"# Measured side by side\n\n{about['date']}, commit {about['commit']}, "
    head += f"{', '.join(facts)}\n\n    {about['command']}\n"
    return "\n".join([head, *(_section(result) for result in results)])


def spread(values: Sequence[float]) -> dict[str, Any]:
    """Return median and range."""
    return {"median": median(values), "least": min(values), "most": max(values)}


def ratios(record: Record, ours: Record) -> list[float]:
    """Return, round by round, how many times our figure the contender's is."""
    compared = record.contender.job.compared
    pairs = zip(record.samples, ours.samples, strict=True)
    return [theirs[compared] / own[compared] for theirs, own in pairs if own[compared]]


def _job(result: Result) -> dict[str, Any]:
    job = result.job
    return {
        "job": job.name, "title": job.title, "size": result.size, "unit": job.unit,
        "rounds": result.rounds, "compared": job.compared,
        "contenders": [_contender(record, _ours(result)) for record in result.records],
        "aims": [_aim(verdict) for verdict in verdicts(job, result.records)],
    }  # fmt: skip


def _contender(record: Record, ours: Record | None) -> dict[str, Any]:
    told: dict[str, Any] = {
        "contender": record.contender.name,
        "title": record.contender.title,
        "note": record.contender.note,
        "size": record.size,
        "versions": record.versions,
        "missing": record.missing,
        "failure": record.failure,
    }
    if record.measured:
        columns = {name: [sample[name] for sample in record.samples] for name in record.samples[0]}
        told["figures"] = {name: {**spread(v), "rounds": v} for name, v in columns.items()}
        if ours is not None and (compared := ratios(record, ours)):
            told["times ours"] = spread(compared)
    return told


def _aim(verdict: Verdict) -> dict[str, Any]:
    return {
        "aim": verdict.aim.text,
        "figure": verdict.aim.figure,
        "value": verdict.value,
        "best": verdict.best,
        "met": verdict.is_met,
    }


def _section(result: Result) -> str:
    job, ours = result.job, _ours(result)
    measured = [record for record in result.records if record.measured]
    columns = list(dict.fromkeys(name for record in measured for name in record.samples[0]))
    size = f"{result.size:,g} {job.unit}"
    lines = [
        f"## {job.title}",
        "",
        f"Rounds: {result.rounds}, of {size} each{_FORM if result.rounds > 1 else ''}.",
        "",
        _row(["", *columns, "times ours", "note"]),
        _row(["---", *["---:"] * (len(columns) + 1), "---"]),
        *(_measured(record, columns, ours, result.size) for record in measured),
    ]
    if job is CONCURRENCY:
        lines += ["", "![The same as a drawing](concurrency.svg)"]
    others = [record for record in result.records if not record.measured]
    found = verdicts(job, result.records)
    lines += [""] * bool(others)
    lines += [f"Not measured: {record.contender.title}: {_why(record)}." for record in others]
    lines += [""] * bool(found)
    lines += [_told(verdict) for verdict in found]
    return "\n".join([*lines, ""])


def _measured(record: Record, columns: Sequence[str], ours: Record | None, size: float) -> str:
    cells = []
    for name in columns:
        values = [sample[name] for sample in record.samples if name in sample]
        cells.append(_cell(values) if values else "")
    compared = [] if ours is None else ratios(record, ours)
    notes = [record.contender.note] * bool(record.contender.note)
    if record.size not in (0, size):
        notes.append(f"only {record.size:,g} {record.contender.job.unit}")
    ratio = _cell(compared) if compared else ""
    return _row([_named(record), *cells, ratio, "; ".join(notes)])


def _told(verdict: Verdict) -> str:
    aim = f"- Aim: {verdict.aim.figure} {verdict.aim.text}"
    if verdict.value is None:
        return f"{aim}: not measured."
    than = f" times {verdict.best}" if verdict.best else ""
    return f"{aim}: {number(verdict.value)}{than}, {'met' if verdict.is_met else '**missed**'}."


def _ours(result: Result) -> Record | None:
    found = (r for r in result.records if r.contender.ours and r.measured)
    return next(found, None)


def _named(record: Record) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in record.versions.items())
    return f"{record.contender.title} ({versions})" if versions else record.contender.title


def _why(record: Record) -> str:
    return record.missing or record.failure or ""


def _cell(values: Sequence[float]) -> str:
    found = spread(values)
    middle, least, most = (number(found[name]) for name in ("median", "least", "most"))
    return middle if least == most else f"{middle} ({least} to {most})"


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"

"""The figures of all rounds as a table and as JSON."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from bench.contract import Job
from bench.rounds import Record


@dataclass(frozen=True, kw_only=True)
class Result:
    """One job's records."""

    job: Job
    size: int
    rounds: int
    records: Sequence[Record]


def as_json(about: Mapping[str, Any], results: Iterable[Result]) -> dict[str, Any]:
    """Return everything, each sample included."""
    return {**about, "jobs": [_job(result) for result in results]}


def as_markdown(about: Mapping[str, Any], results: Iterable[Result]) -> str:
    """Return a table for each job: medians, with the range of the rounds in brackets."""
    machine = ", ".join(about["machine"].values())
    head = f"{about['date']}, {machine}\n\n    {about['command']}\n"
    return "\n".join([head, *(_section(result) for result in results)])


def spread(values: Sequence[float]) -> dict[str, Any]:
    """Return median and range."""
    return {"median": median(values), "least": min(values), "most": max(values)}


def ratios(record: Record, ours: Record) -> list[float]:
    """Return, round by round, how many times our figure the contender's is."""
    compared = record.contender.job.compared
    pairs = zip(record.samples, ours.samples, strict=True)
    return [theirs[compared] / own[compared] for theirs, own in pairs]


def _job(result: Result) -> dict[str, Any]:
    job = result.job
    return {
        "job": job.name, "title": job.title, "size": result.size, "rounds": result.rounds,
        "compared": job.compared,
        "contenders": [_contender(record, _ours(result)) for record in result.records],
    }  # fmt: skip


def _contender(record: Record, ours: Record | None) -> dict[str, Any]:
    told: dict[str, Any] = {
        "contender": record.contender.name,
        "title": record.contender.title,
        "versions": record.versions,
        "missing": record.missing,
        "failure": record.failure,
    }
    if record.measured:
        columns = {name: [sample[name] for sample in record.samples] for name in record.samples[0]}
        told["figures"] = {name: {**spread(v), "rounds": v} for name, v in columns.items()}
        if ours is not None:
            told["times ours"] = spread(ratios(record, ours))
    return told


def _section(result: Result) -> str:
    ours = _ours(result)
    measured = [record for record in result.records if record.measured]
    columns = list(measured[0].samples[0]) if measured else []
    lines = [
        f"## {result.job.title}",
        "",
        f"Rounds: {result.rounds}, of {result.size:,} workflows each; median (least to most).",
        "",
        _row(["", *columns, "times ours"]),
        _row(["---", *["---:"] * (len(columns) + 1)]),
    ]
    for record in measured:
        cells = [_cell([sample[name] for sample in record.samples], ",.0f") for name in columns]
        ratio = "" if ours is None else _cell(ratios(record, ours), ".2f")
        lines.append(_row([_named(record), *cells, ratio]))
    lines += [""] * (len(measured) < len(result.records))
    for record in result.records:
        if not record.measured:
            lines.append(f"Not measured: {record.contender.title}: {_why(record)}.")
    return "\n".join([*lines, ""])


def _ours(result: Result) -> Record | None:
    found = (r for r in result.records if r.contender.ours and r.measured)
    return next(found, None)


def _named(record: Record) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in record.versions.items())
    return f"{record.contender.title} ({versions})" if versions else record.contender.title


def _why(record: Record) -> str:
    return record.missing or record.failure or ""


def _cell(values: Sequence[float], form: str) -> str:
    found = spread(values)
    return f"{found['median']:{form}} ({found['least']:{form}} to {found['most']:{form}})"


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"

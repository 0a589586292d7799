"""The table of verdicts."""

from crashes.verdict import Verdict

_COLUMNS = (
    "scenario", "runs", "kills", "restarts", "lost", "duplicated outcomes", "other faults",
    "second executions", "by kills", "by lost leases", "unexplained", "seconds",
)  # fmt: skip

HEAD = (f"| {' | '.join(_COLUMNS)} |", f"| --- |{' ---: |' * (len(_COLUMNS) - 1)}")


def line(name: str, verdict: Verdict) -> str:
    """Return a scenario's line."""
    executions = verdict.executions
    cells = (
        name, verdict.runs, verdict.kills, verdict.restarts, len(verdict.lost),
        len(verdict.twice), len(verdict.faults), executions.second, executions.killed,
        executions.stalled, len(executions.unexplained), f"{verdict.seconds:.0f}",
    )  # fmt: skip
    return f"| {' | '.join(map(str, cells))} |"

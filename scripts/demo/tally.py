"""Counts what telemetry tells: which status the runs have, where they are, what is news."""

from collections import Counter, defaultdict, deque
from collections.abc import Mapping
from types import TracebackType
from typing import Any

from hephaestus import telemetry

MOST_NEWS = 6


class Tally:
    """Listens within a `with` block."""

    def __init__(self) -> None:
        self.statuses: Counter[str] = Counter()
        self.repeated = 0
        """Failed attempts so far."""

        self.news: deque[tuple[str, str]] = deque(maxlen=MOST_NEWS)
        """Order and happening, the latest last."""

        self._at: defaultdict[str, set[str]] = defaultdict(set)

    @property
    def started(self) -> int:
        """How many runs there are."""
        return self.statuses.total()

    @property
    def ended(self) -> int:
        """How many runs have ended, for the moment at least."""
        return sum(self.statuses[status] for status in ("completed", "failed", "cancelled"))

    def at(self) -> Counter[str]:
        """Return how many runs are at each step; a run can be at several."""
        return Counter(step for steps in self._at.values() for step in steps)

    def hear(self, name: str, _: Mapping[str, float | None], about: Mapping[str, Any]) -> None:
        """Take a telemetry event."""
        run = about.get("run_id", "")
        match name:
            case "hephaestus.workflow.start":
                self._at[run].add(about["initial_step"])
            case "hephaestus.workflow.transition":
                self._at[run].discard(about["source"])
                self._at[run].update(about["targets"])
            case "hephaestus.step.start":
                self._at[run].add(about["step"])
            case "hephaestus.step.async" if about["status"] == "halted":
                self._tell(about, f"{about['step']} asks a person")
            case "hephaestus.step.exception":
                self.repeated += 1
                self._tell(about, f"{about['step']}, attempt {about['attempt']}: {about['reason']}")
            case "hephaestus.step.resume" if about["step"] == "paid":
                paid = about["event"] != "timeout"
                self._tell(about, "is paid" if paid else "is not paid in time")
            case "hephaestus.engine.advance":
                self._move(run, about)

    def _move(self, run: str, about: Mapping[str, Any]) -> None:
        before, after = about["status_before"], about["status_after"]
        if before == after:
            return
        if before != "pending":
            self.statuses[before] -= 1
        self.statuses[after] += 1
        if after in ("completed", "failed", "cancelled"):
            self._at.pop(run, None)
        if after in ("failed", "cancelled") or before == "failed":
            self._tell(about, "is taken up again" if before == "failed" else f"is {after}")

    def _tell(self, about: Mapping[str, Any], happening: str) -> None:
        self.news.append((about["instance_id"], happening))

    def __enter__(self) -> "Tally":
        telemetry.attach("demo", telemetry.EVENTS, self.hear)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        telemetry.detach("demo")

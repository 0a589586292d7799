"""The entries that one advance writes into the history."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from hephaestus.instance import Action, Entry, Instance, StepError
from hephaestus.message import StepEnded
from hephaestus.outcome import Completed
from hephaestus.steps import Step


class Ledger:
    """Collects entries, and numbers them so that the same advance writes the same ones."""

    def __init__(self, instance: Instance, steps: Mapping[str, Step], now: datetime) -> None:
        self.entries: list[Entry] = []
        self._run_id = instance.run_id
        self._revision = instance.revision + 1
        self._steps = steps
        self._now = now

    def add(
        self,
        action: Action,
        step: str | None = None,
        *,
        event: str | None = None,
        attempt: int | None = None,
        duration: float | None = None,
        input: dict[str, Any] | None = None,
        output: dict[str, Any] | None = None,
        error: StepError | None = None,
    ) -> None:
        """Add an entry; its id is the run's, the revision and its place in it."""
        known = self._steps.get(step) if step is not None else None
        self.entries.append(
            Entry(
                id=f"{self._run_id}/{self._revision}.{len(self.entries)}",
                run_id=self._run_id,
                step=step,
                step_type=known.type_name if known is not None else None,
                action=action,
                event=event,
                attempt=attempt,
                duration=duration,
                input=input,
                output=output,
                error=error,
                timestamp=self._now,
            )
        )

    def drop(self, ended: StepEnded) -> None:
        """Note an outcome that came too late to count."""
        outcome = ended.outcome if isinstance(ended.outcome, Completed) else None
        self.add(
            "dropped",
            ended.step,
            event=None if outcome is None else outcome.event,
            attempt=ended.attempt,
            duration=ended.duration,
            output=None if outcome is None else outcome.data,
        )

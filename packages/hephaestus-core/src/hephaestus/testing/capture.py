"""Telemetry events, kept for a test to look at."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from hephaestus import telemetry
from hephaestus.telemetry.bus import Measurements, Metadata


class TelemetryEvent(NamedTuple):
    """One telemetry event, as a handler gets it."""

    name: str
    measurements: Measurements
    metadata: Metadata


class CapturedEvents(list[TelemetryEvent]):
    """Telemetry events in the order in which they were emitted."""

    @property
    def names(self) -> list[str]:
        """The name of each."""
        return [event.name for event in self]

    def named(self, *names: str) -> "CapturedEvents":
        """Return those with one of the names."""
        return CapturedEvents(event for event in self if event.name in names)

    def where(self, **metadata: object) -> "CapturedEvents":
        """Return those whose metadata has all of these values."""
        wanted = metadata.items()
        return CapturedEvents(event for event in self if wanted <= dict(event.metadata).items())

    def one(self, name: str, **metadata: object) -> TelemetryEvent:
        """Return the only one with that name and metadata.

        Raises:
            AssertionError: There is none, or more than one.
        """
        found = self.named(name).where(**metadata)
        if len(found) != 1:
            about = "".join(f", {key}={value!r}" for key, value in metadata.items())
            raise AssertionError(
                f"{len(found)} telemetry events are {name!r}{about}; captured: {self.names}"
            )
        return found[0]


@contextmanager
def capture_events(*names: str) -> Iterator[CapturedEvents]:
    """Keep the telemetry events that are emitted within the block.

        with capture_events("hephaestus.step.stop") as events:
            await Harness(OrderFlow).run({"item_count": 3})
        assert events.one("hephaestus.step.stop", step="validate_order").metadata["has_data"]

    Args:
        names: Which ones; all of them if none is named.

    Raises:
        InvalidArgument: There is no telemetry event of that name.
    """
    captured = CapturedEvents()
    id = f"capture-{secrets.token_hex(8)}"
    telemetry.attach(
        id,
        names or telemetry.EVENTS,
        lambda *event: captured.append(TelemetryEvent(*event)),
    )
    try:
        yield captured
    finally:
        telemetry.detach(id)

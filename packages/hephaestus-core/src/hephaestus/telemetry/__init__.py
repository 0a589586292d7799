"""Telemetry events: attach a handler, or the ready-made log, metrics and OpenTelemetry ones.

`hephaestus.telemetry.otel` is imported by its own name, because it needs the extra `otel`.
"""

from hephaestus.telemetry import log, metrics
from hephaestus.telemetry.bus import EVENTS, attach, detach

__all__ = ["EVENTS", "attach", "detach", "log", "metrics"]

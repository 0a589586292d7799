"""Telemetry events as OpenTelemetry spans and metrics; needs the extra `otel`."""

from collections.abc import Callable, Mapping

from hephaestus.errors import InvalidArgument
from hephaestus.telemetry import bus
from hephaestus.telemetry.bus import Measurements, Metadata
from hephaestus.telemetry.metrics import METRICS, Metric

try:
    from opentelemetry.metrics import Meter, MeterProvider, get_meter
    from opentelemetry.trace import TracerProvider, get_tracer
except ImportError as error:
    raise ImportError(
        'hephaestus.telemetry.otel needs OpenTelemetry: pip install "hephaestus-core[otel]"'
    ) from error

from hephaestus.telemetry.spans import Spans, run_context

__all__ = ["ID", "attach", "detach", "run_context"]

ID = "hephaestus.telemetry.otel"

_attached: dict[str, Spans] = {}


def attach(
    tracer_provider: TracerProvider | None = None,
    meter_provider: MeterProvider | None = None,
    *,
    id: str = ID,
    sample_ratio: float = 1.0,
) -> None:
    """Report every attempt of a step and every run as a span, and `METRICS` as metrics.

    While a step's body runs its span is the current one, so that what the body records nests
    below it. A run's span is recorded at its end, by the process where it ends. The span that
    is current where a run starts or a step is executed is linked with the run's trace.

    Args:
        tracer_provider: Where spans go; the global one by default.
        meter_provider: Where metrics go; the global one by default.
        id: What `detach` is to be told.
        sample_ratio: The share of runs whose spans are marked as sampled. It goes by the run
            id, so that all processes agree, and stands in for a ratio of the tracer's sampler,
            which decides for traces without a parent only.

    Raises:
        InvalidArgument: The id is taken, or the ratio is not between 0 and 1.
    """
    if not 0 <= sample_ratio <= 1:
        raise InvalidArgument(f"a sample ratio is between 0 and 1, not {sample_ratio}")
    spans = Spans(get_tracer("hephaestus", tracer_provider=tracer_provider), sample_ratio)
    record = _recorder(get_meter("hephaestus", meter_provider=meter_provider))

    def handler(name: str, measurements: Measurements, metadata: Metadata) -> None:
        record(name, measurements, metadata)
        spans.handle(name, measurements, metadata)

    bus.attach(id, bus.EVENTS, handler)
    _attached[id] = spans


def detach(*, id: str = ID) -> None:
    """Report nothing more, and end the spans that are open.

    Raises:
        InvalidArgument: Nothing is attached under the id.
    """
    try:
        bus.detach(id)
    finally:
        # Also where the bus dropped the handler because it had raised.
        spans = _attached.pop(id, None)
        if spans is not None:
            spans.close()


def _recorder(meter: Meter) -> bus.Handler:
    instruments: dict[str, list[tuple[Metric, Callable[[float, Mapping[str, str]], None]]]] = {}
    for metric in METRICS:
        instruments.setdefault(metric.event, []).append((metric, _instrument(meter, metric)))

    def record(name: str, measurements: Measurements, metadata: Metadata) -> None:
        for metric, report in instruments.get(name, ()):
            value = metric.value(measurements)
            if value is not None:
                report(value, metric.labels(metadata))

    return record


def _instrument(meter: Meter, metric: Metric) -> Callable[[float, Mapping[str, str]], None]:
    match metric.kind:
        case "counter":
            return meter.create_counter(metric.name, metric.unit, metric.description).add
        case "distribution":
            return meter.create_histogram(metric.name, metric.unit, metric.description).record
        case "last_value":
            return meter.create_gauge(metric.name, metric.unit, metric.description).set

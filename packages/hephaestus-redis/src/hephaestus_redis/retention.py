"""When finished runs have been kept long enough."""

from datetime import UTC, datetime, timedelta

from hephaestus import duration
from hephaestus.duration import Duration
from hephaestus.errors import InvalidArgument

_LONGEST_PAUSE = timedelta(minutes=1)


class Retention:
    """Tells whoever looks for due runs when to prune as well: once a minute.

    Args:
        span: How long finished runs stay; None for ever.

    Raises:
        InvalidArgument: The span is no duration, or nothing.
    """

    def __init__(self, span: Duration | None) -> None:
        self._span = None if span is None else duration.parse(span, "retention=")
        if self._span == timedelta():
            raise InvalidArgument("retention= is more than nothing; None keeps runs for ever")
        self._pruned_at: datetime | None = None

    def past(self, now: datetime) -> datetime | None:
        """Return the time before which runs must have ended to go now; None for not now."""
        if self._span is None:
            return None
        if self._pruned_at is None:
            self._pruned_at = now
        if now - self._pruned_at < min(self._span, _LONGEST_PAUSE):
            return None
        self._pruned_at = now
        return now - self._span

    def go_on(self) -> None:
        """Prune again with the next look: there was more than could go at once."""
        self._pruned_at = datetime.min.replace(tzinfo=UTC)

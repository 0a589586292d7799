"""Throughput against concurrency as a drawing: an SVG, made of text alone."""

import math
from collections.abc import Sequence
from statistics import median

from bench.rounds import Record

_WIDTH, _HEIGHT = 860, 440
_LEFT, _TOP, _RIGHT, _BOTTOM = 70, 40, 330, 50
_COLOURS = ("#c2410c", "#f59e0b", "#1d4ed8", "#0891b2", "#7c3aed", "#15803d", "#6b7280", "#be185d")
_STYLE = "font-family:sans-serif;font-size:12px;fill:#374151"


def of_rates(records: Sequence[Record]) -> str:
    """Draw a line for each who was measured: medians, both axes logarithmic."""
    lines = [(record.contender.title, _points(record)) for record in records if record.measured]
    points = [point for _, line in lines for point in line]
    if not points:
        return _svg([])
    axes = _Axes(points)
    parts = axes.drawn()
    # Those who end high stand high in the legend.
    order = sorted(range(len(lines)), key=lambda index: -lines[index][1][-1][1])
    for place, index in enumerate(order):
        title, line = lines[index]
        parts += _line(title, [axes.at(*point) for point in line], _COLOURS[index % 8], place)
    return _svg(parts)


def _points(record: Record) -> list[tuple[float, float]]:
    names = record.samples[0]
    return [(float(name), median(s[name] for s in record.samples)) for name in names]


class _Axes:
    def __init__(self, points: Sequence[tuple[float, float]]) -> None:
        self._widths = sorted({x for x, _ in points})
        rates = [y for _, y in points]
        self._low = 10 ** math.floor(math.log10(max(min(rates), 0.1)))
        self._high = 10 ** math.ceil(math.log10(max(rates) * 1.01))

    def at(self, x: float, y: float) -> tuple[float, float]:
        least, most = math.log(self._widths[0]), math.log(self._widths[-1])
        across = (math.log(x) - least) / ((most - least) or 1)
        low, high = math.log(self._low), math.log(self._high)
        up = (math.log(max(y, self._low)) - low) / (high - low)
        width, height = _WIDTH - _LEFT - _RIGHT, _HEIGHT - _TOP - _BOTTOM
        return _LEFT + across * width, _HEIGHT - _BOTTOM - up * height

    def drawn(self) -> list[str]:
        parts = [_text(_LEFT, 22, "workflows/s by workflows in flight")]
        rate = self._low
        while rate <= self._high:
            x, y = self.at(self._widths[0], rate)
            end = self.at(self._widths[-1], rate)[0]
            parts.append(f'<path d="M{x:.0f} {y:.0f}H{end:.0f}" stroke="#e5e7eb"/>')
            parts.append(_text(_LEFT - 8, y + 4, f"{rate:,g}", anchor="end"))
            rate *= 10
        for width in self._widths:
            x, y = self.at(width, self._low)
            parts.append(_text(x, y + 20, f"{width:g}", anchor="middle"))
        return parts


def _line(title: str, points: Sequence[tuple[float, float]], colour: str, place: int) -> list[str]:
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    x, y = _WIDTH - _RIGHT + 20, _TOP + 10 + 20 * place
    return [
        f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>',
        *(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in points),
        f'<rect x="{x}" y="{y - 9}" width="12" height="10" fill="{colour}"/>',
        _text(x + 18, y, title),
    ]


def _text(x: float, y: float, text: str, *, anchor: str = "start") -> str:
    safe = text.replace("&", "&amp;").replace("<", "&lt;")
    place = f'x="{x:.0f}" y="{y:.0f}" text-anchor="{anchor}"'
    return f'<text {place} style="{_STYLE}">{safe}</text>'


def _svg(parts: Sequence[str]) -> str:
    size = f'width="{_WIDTH}" height="{_HEIGHT}" viewBox="0 0 {_WIDTH} {_HEIGHT}"'
    ground = f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="white"/>'
    lines = [f'<svg xmlns="http://www.w3.org/2000/svg" {size}>', ground, *parts, "</svg>"]
    return "\n".join(lines) + "\n"

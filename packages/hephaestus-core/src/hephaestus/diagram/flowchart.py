"""A workflow as a Mermaid flowchart, as GitHub and many others show it."""

from datetime import timedelta

from hephaestus.diagram.arrow import Arrow, arrows
from hephaestus.steps import Step, Wait, WaitForEvent
from hephaestus.workflow import Workflow

_LONGEST_CONFIG = 60
_PLAIN = frozenset(" _-.,:()='")
"""What may stand in a label as it is, letters and digits apart."""

_UNITS = (("d", 86_400), ("h", 3_600), ("min", 60))


def mermaid(workflow: type[Workflow]) -> str:
    """Return a Mermaid flowchart: of an umbrella, one part for each version.

    Events stand at the arrows, with the config that they carry; an arrow is dotted, and names
    the function, where a `Choose` picks. A step that waits is a hexagon.
    """
    lines = ["flowchart TD"]
    if not workflow.versions:
        lines += _body(workflow, "")
    for number, version in workflow.versions.items():
        current = " (current)" if number == workflow.current else ""
        lines.append(f'    subgraph v{number}["version {number}{current}"]')
        lines += ["    " + line for line in _body(version, f"v{number}_")]
        lines.append("    end")
    return "\n".join(lines)


def _body(workflow: type[Workflow], prefix: str) -> list[str]:
    graph = workflow.graph
    ids = {key: f"{prefix}n{number}" for number, key in enumerate(graph.steps)}
    start = f"{prefix}start"
    config = _config(graph.start_config)
    label = f'|"{config}"|' if config else ""
    return [
        f'    {start}(("start"))',
        *(f"    {ids[key]}{_shape(step)}" for key, step in graph.steps.items()),
        f"    {start} -->{label} {ids[graph.start]}",
        *(_arrow(arrow, ids) for arrow in arrows(graph)),
    ]


def _shape(step: Step) -> str:
    key = _escaped(step.key)
    match step:
        case Wait():
            return f'{{{{"{key}<br/>waits {_span(step.duration)}"}}}}'
        case WaitForEvent():
            limit = "" if step.patience is None else f", at most {_span(step.patience)}"
            return f'{{{{"{key}<br/>waits for {_escaped(step.name)}{limit}"}}}}'
    return f'((("{key}")))' if step.ends else f'["{key}"]'


def _arrow(arrow: Arrow, ids: dict[str, str]) -> str:
    parts = [_escaped(arrow.event), _config(arrow.config)]
    if arrow.chosen_by:
        parts.insert(1, f"chosen by {_escaped(arrow.chosen_by)}")
    label = "<br/>".join(part for part in parts if part)
    line = "-.->" if arrow.chosen_by else "-->"
    return f'    {ids[arrow.source]} {line}|"{label}"| {ids[arrow.target]}'


def _config(config: dict[str, object] | None) -> str:
    if not config:
        return ""
    shown = ", ".join(f"{name}={value!r}" for name, value in config.items())
    if len(shown) > _LONGEST_CONFIG:
        shown = shown[: _LONGEST_CONFIG - 1] + "…"
    return _escaped(f"using {shown}")


def _escaped(label: str) -> str:
    """Return a text as Mermaid takes it between quotes: what might mean something, as a code."""
    return "".join(c if c.isalnum() or c in _PLAIN else f"#{ord(c)};" for c in label)


def _span(span: timedelta) -> str:
    """Return a span of time as `1 d 2 h`."""
    rest = span.total_seconds()
    parts = []
    for unit, seconds in _UNITS:
        count, rest = divmod(rest, seconds)
        if count:
            parts.append(f"{count:.0f} {unit}")
    if rest or not parts:
        parts.append(f"{rest:g} s")
    return " ".join(parts)

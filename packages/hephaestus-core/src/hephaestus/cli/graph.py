"""`graph`: workflows as pictures."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from hephaestus import diagram, registry
from hephaestus.cli.named import fitting, known_names
from hephaestus.cli.output import put, takes_json
from hephaestus.cli.target import import_module, takes_app
from hephaestus.nearest import did_you_mean
from hephaestus.workflow import Workflow

_FORMATS: dict[str, Callable[[type[Workflow]], str]] = {
    "mermaid": diagram.mermaid,
    "text": diagram.text,
    "svg": diagram.svg,
}
_NAMED = {"mermaid": "%% {name}\n{picture}", "text": "{name}\n\n{picture}\n", "svg": "{picture}"}


@click.command()
@click.argument("names", metavar="[WORKFLOW]...", nargs=-1)
@click.option("--module", "modules", multiple=True, help="Where workflows are defined.")
@click.option(
    "--format", "form", type=click.Choice(list(_FORMATS)), default="mermaid", show_default=True
)
@click.option("--output", type=click.Path(path_type=Path), help="A file, instead of printing.")
@takes_app
@takes_json
def graph(
    *,
    names: tuple[str, ...],
    modules: tuple[str, ...],
    form: str,
    output: Path | None,
    app: str | None,
    as_json: bool,
) -> None:
    """Draw workflows, given by name or the end of one; all of them, if none is given.

    With --json their steps and transitions are printed, and the picture too.
    """
    if app is not None:
        modules = (*modules, app.partition(":")[0])
    if not modules:
        raise click.UsageError("where are the workflows? Give --module or --app")
    for module in modules:
        import_module(module)
    chosen = [version for workflow in _chosen(names) for version in _versions(workflow)]
    if form == "svg" and len(chosen) != 1 and not as_json:
        raise click.UsageError(
            f"an SVG shows one workflow; name it: {', '.join(each.name for each in chosen)}"
        )
    pictures = [_FORMATS[form](workflow) for workflow in chosen]
    named = [
        _NAMED[form].format(name=workflow.name, picture=picture)
        for workflow, picture in zip(chosen, pictures, strict=True)
    ]
    documents = [
        _document(workflow) | {"format": form, "picture": picture}
        for workflow, picture in zip(chosen, pictures, strict=True)
    ]
    if output is not None:
        output.write_text("\n".join(named) + "\n", "utf-8")
    else:
        put(documents, named, as_json=as_json)


def _chosen(names: tuple[str, ...]) -> list[type[Workflow]]:
    known = known_names()
    if not known:
        raise click.ClickException("no workflow is defined there")
    if not names:
        return [registry.find(name) for name in known if _is_whole(registry.find(name))]
    return [registry.find(_full_name(name, known)) for name in names]


def _is_whole(workflow: type[Workflow]) -> bool:
    """Tell whether it is no version, which its umbrella shows."""
    return workflow.family == workflow.name


def _full_name(name: str, known: list[str]) -> str:
    found = fitting(name, known)
    if len(found) != 1:
        why = f"several end so: {', '.join(found)}" if found else "there is none"
        raise click.UsageError(f"which workflow is {name!r}? {why}{did_you_mean(name, known)}")
    return found[0]


def _versions(workflow: type[Workflow]) -> list[type[Workflow]]:
    return list(workflow.versions.values()) or [workflow]


def _document(workflow: type[Workflow]) -> dict[str, Any]:
    return {
        "name": workflow.name,
        "version": workflow.version,
        "start": workflow.graph.start,
        "steps": {key: {"events": step.events} for key, step in workflow.graph.steps.items()},
        "transitions": [
            {"step": arrow.source, "event": arrow.event, "target": arrow.target}
            for arrow in diagram.arrows(workflow.graph)
        ],
    }

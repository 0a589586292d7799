"""`check`: what a deployment would break, found before it."""

from typing import Any

import click

from hephaestus import registry
from hephaestus.app import Hephaestus
from hephaestus.cli.fit import UNFINISHED, misfits
from hephaestus.cli.opened import with_storage
from hephaestus.cli.output import counted, put, takes_json
from hephaestus.cli.target import import_module, takes_app
from hephaestus.storage import Storage
from hephaestus.workflow import Workflow


@click.command()
@click.argument("modules", nargs=-1)
@click.option("--no-storage", is_flag=True, help="Only the definitions; no run is looked at.")
@click.option("--failed", is_flag=True, help="Failed runs as well, which a retry takes up again.")
@takes_app
@takes_json
def check(
    *,
    modules: tuple[str, ...],
    no_storage: bool,
    failed: bool,
    app: str | None,
    as_json: bool,
) -> int:
    """Prove all workflows, and that every unfinished run fits them.

    Importing a module proves the workflows that it defines. With an app, its module is imported as
    well, and each unfinished run in its storage must be one of a workflow, a version and steps that
    are defined here, with initial data that fit the declared input.
    """
    if not modules and app is None:
        raise click.UsageError("what is to be checked? Name modules, or give --app")
    problems = [problem for name in modules for problem in _of_module(name)]
    if app is not None:
        problems += _of_module(app.partition(":")[0])
    count = None
    if app is not None and not no_storage and not problems:
        count, found = with_storage(app, lambda a, s: _of_storage(a, s, failed=failed))
        problems += found
    defined = [_document(workflow) for workflow in _defined()]
    if not defined and not problems:
        problems.append({"kind": "module", "reason": "no workflow is defined there"})
    document = {"workflows": defined, "runs": count, "problems": problems}
    put(document, _lines(document), as_json=as_json)
    return 1 if problems else 0


def _of_module(name: str) -> list[dict[str, Any]]:
    try:
        import_module(name)
    except click.UsageError:
        raise
    except click.ClickException as error:
        return [{"kind": "definition", "module": name, "reason": error.format_message()}]
    return []


async def _of_storage(
    app: Hephaestus, storage: Storage, *, failed: bool
) -> tuple[int, list[dict[str, Any]]]:
    statuses = (*UNFINISHED, "failed") if failed else UNFINISHED
    findings = await misfits(storage, statuses)
    return findings.looked_at, [*_unsupported(app, storage), *findings.documents()]


def _unsupported(app: Hephaestus, storage: Storage) -> list[dict[str, Any]]:
    """Return the workflows that the app would refuse to start on its storage."""
    if storage.transactional:
        return []
    return [
        {
            "kind": "transactional",
            "workflow": workflow.name,
            "version": workflow.version,
            "reason": f"workflow {workflow.name!r} has transactional steps, and "
            f"{type(storage).__name__} has no transactions",
        }
        for workflow in _defined(app.name)
        if workflow.graph.transactional
    ]


def _defined(app: str | None = None) -> list[type[Workflow]]:
    """Return what can run here, each version under its own name."""
    found = [registry.find(*each) for each in sorted(registry.known(app))]
    return list(dict.fromkeys(found))


def _document(workflow: type[Workflow]) -> dict[str, Any]:
    steps = len(workflow.graph.steps)
    return {"name": workflow.name, "version": workflow.version, "steps": steps}


def _lines(document: dict[str, Any]) -> list[str]:
    lines = [
        f"ok       {each['name']} version {each['version']}: {each['steps']} steps"
        for each in document["workflows"]
    ]
    for problem in document["problems"]:
        count = problem.get("count")
        runs = "" if count is None else f": {counted(count, 'run')}, as {problem['runs'][0]}"
        lines.append(f"problem  {problem['reason']}{runs}")
    runs = "" if document["runs"] is None else f" and {counted(document['runs'], 'run')}"
    workflows = counted(len(document["workflows"]), "workflow")
    found = counted(len(document["problems"]), "problem")
    return [*lines, f"checked {workflows}{runs}: {found}"]

"""The workflows that are defined in this process, by name."""

from collections.abc import Iterable
from typing import Any

from hephaestus.errors import DefinitionError, UnknownWorkflow
from hephaestus.fork import Lock
from hephaestus.nearest import nearest

# Workflow classes are `type[Any]` here: what users subclass lies above this module.


def register(workflow: type[Any]) -> None:
    """Make a workflow known, and with an umbrella all its versions.

    It replaces an earlier class from the same place, as a reload of its module makes one.

    Raises:
        DefinitionError: Another workflow has the name, or holds the same business key in a
            way that does not go together.
    """
    _workflows.add(workflow)


def unregister(workflow: type[Any]) -> None:
    """Forget a workflow; nothing happens if it is not known."""
    _workflows.remove(workflow)


def find(name: str, version: int | None = None) -> type[Any]:
    """Return the workflow of that name; with a version, the class that defines that one.

    Raises:
        UnknownWorkflow: This process does not define it.
    """
    found = _workflows.by_name.get(name)
    if found is not None and version is not None and version != found.version:
        found = found.versions.get(version)
    if found is None:
        known_names = _workflows.by_name
        raise UnknownWorkflow(
            name, version, None if name in known_names else nearest(name, known_names)
        )
    return found


def is_umbrella(name: str) -> bool:
    """Tell whether this process knows the name as that of an umbrella over versions."""
    found = _workflows.by_name.get(name)
    return found is not None and bool(found.versions)


def known(app: str | None = None) -> frozenset[tuple[str, int]]:
    """Return name and version of every workflow that can run here.

    Under the name of an umbrella there may be runs from before it was one, so each of its
    versions counts under both names.

    Args:
        app: The name of an app, to leave out what is pinned to another.
    """
    found = _workflows.known.get(app)
    return _workflows.add_known(app) if found is None else found


def is_known(app: str, workflow: str, version: int) -> bool:
    """Tell whether an app executes a workflow, which may be pinned to another."""
    return (workflow, version) in known(app)


class _Workflows:
    """The registered classes.

    Readers take no lock: a change makes new collections and puts them in place of the old.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self.by_name: dict[str, type[Any]] = {}
        self.known: dict[str | None, frozenset[tuple[str, int]]] = {}
        """What can run, by app; filled when first asked for."""

    def add(self, workflow: type[Any]) -> None:
        new = {added.name: added for added in [workflow, *workflow.versions.values()]}
        with self._lock:
            old = self.by_name.get(workflow.name)
            replaced = () if old is None else (old, *old.versions.values())
            for name, added in new.items():
                _check_name(added, self.by_name.get(name))
            kept = {
                name: other
                for name, other in self.by_name.items()
                if name not in new and other not in replaced
            }
            _check_scopes(workflow, kept.values())
            self._put(kept | new)

    def remove(self, workflow: type[Any]) -> None:
        with self._lock:
            self._put({n: c for n, c in self.by_name.items() if c is not workflow})

    def add_known(self, app: str | None) -> frozenset[tuple[str, int]]:
        known = self.known
        known[app] = frozenset(
            (name, version.version)
            for name, c in self.by_name.items()
            for version in (c.versions.values() or (c,))
            if app is None or version.app in (None, app)
        )
        return known[app]

    def _put(self, by_name: dict[str, type[Any]]) -> None:
        self.by_name = by_name
        self.known = {}


def _check_name(added: type[Any], known: type[Any] | None) -> None:
    if known is not None and _origin(known) != _origin(added):
        raise DefinitionError(
            f"workflow {added.name!r} is already defined by {_origin(known)}, and now by "
            f"{_origin(added)}; give one of them another name="
        )


def _check_scopes(added: type[Any], others: Iterable[type[Any]]) -> None:
    unique = added.unique
    for other in others:
        if other.unique.key != unique.key or other.unique.scope == unique.scope:
            continue
        if "global" in (other.unique.scope, unique.scope):
            raise DefinitionError(
                f"workflow {added.name!r} holds the key {unique.key!r} with scope "
                f"{unique.scope!r}, and workflow {other.name!r} with scope "
                f"{other.unique.scope!r}; scope 'global' needs all of a key's workflows, so "
                "agree on one or use another key"
            )


def _origin(workflow: type[Any]) -> str:
    return f"{workflow.__module__}.{workflow.__qualname__}"


_workflows = _Workflows()

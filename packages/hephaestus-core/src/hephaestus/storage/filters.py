"""The filters of a query, checked once for every storage."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal, NamedTuple, get_args

import msgspec

from hephaestus import data, registry
from hephaestus.errors import InvalidArgument, UnknownFilter
from hephaestus.instance import STATUSES, TERMINAL, Status
from hephaestus.nearest import nearest
from hephaestus.workflow import Workflow

Order = Literal["newest", "oldest"]


class Filters(msgspec.Struct, frozen=True, kw_only=True):
    """What `query` and `count` select; a filter that is None selects nothing out."""

    id: str | None = None
    run_id: str | None = None
    status: Status | None = None
    status_in: tuple[Status, ...] | None = None
    """Any of these; an empty one passes no run."""

    workflow: str | None = None
    """The exact name; None where it is that of an umbrella."""

    umbrella: str | None = None
    """The name of an umbrella: its runs have that very name, from before it was one, or one that
    begins with it and a dot."""

    workflow_version: int | None = None
    families: tuple[str, ...] = ()
    """Prefixes of the workflow's name, every character literal; all of them must fit."""

    created_after: datetime | None = None
    """Exclusive, as are the other times."""

    created_before: datetime | None = None
    updated_after: datetime | None = None
    updated_before: datetime | None = None
    tag: str | None = None
    context: dict[str, Any] | None = None
    """JSON that `{"initial": …, "steps": …}` must contain, as `@>` does in PostgreSQL."""

    limit: int | None = None
    order: Order = "newest"
    """By time of creation, then by run id."""

    after: str | None = None
    """The run id of the last row seen; what follows it in the order is returned."""

    @classmethod
    def parse(cls, filters: Mapping[str, Any]) -> "Filters":
        """Return the filters that a caller gave by name.

        Raises:
            UnknownFilter: There is no such filter.
            InvalidArgument: A filter has a value that it cannot take.
        """
        checked: dict[str, Any] = {}
        for name, value in filters.items():
            if name not in _CHECKS:
                raise UnknownFilter(name, tuple(_CHECKS), nearest(name, _CHECKS))
            if value is None:
                if name in ("limit", "after"):
                    continue
                raise InvalidArgument(f"{name}=None is no filter; leave it out")
            checked[name] = _CHECKS[name](name, value)
        if "workflow_family" in checked:
            checked["families"] = (checked.pop("workflow_family"),)
        if isinstance(checked.get("workflow"), _Umbrella):
            checked["umbrella"] = checked.pop("workflow").name
        return cls(**checked)

    def names(self, workflow: str) -> bool:
        """Tell whether a workflow of this name passes, for storages that compare by themselves."""
        umbrella = self.umbrella
        return (
            (self.workflow is None or workflow == self.workflow)
            and (umbrella is None or workflow == umbrella or workflow.startswith(f"{umbrella}."))
            and all(workflow.startswith(prefix) for prefix in self.families)
        )


class _Umbrella(NamedTuple):
    """What was given as a workflow, where it holds versions."""

    name: str


def checked_pruning(before: object, statuses: object, limit: object) -> frozenset[Status]:
    """Return the statuses that `prune` deletes; its other arguments are only checked.

    Raises:
        InvalidArgument: An argument has a value that it cannot take.
    """
    _moment("before", before)
    _count("limit", limit)
    return TERMINAL if statuses is None else TERMINAL & set(_statuses("statuses", statuses))


def _text(name: str, value: object) -> str:
    return data.check_text(value, f"{name}=")


def _status(name: str, value: object) -> Status:
    if value not in STATUSES:
        several = isinstance(value, list | tuple | set | frozenset)
        hint = "; for several use status_in=" if several and name == "status" else ""
        raise InvalidArgument(f"{name}= takes one of {', '.join(STATUSES)}, not {value!r}{hint}")
    return value


def _statuses(name: str, value: object) -> tuple[Status, ...]:
    if isinstance(value, str) or not isinstance(value, list | tuple | set | frozenset):
        raise InvalidArgument(f"{name}= takes a list of statuses, not {value!r}")
    return tuple(_status(name, one) for one in value)


def _workflow(name: str, value: object) -> str | _Umbrella:
    if isinstance(value, str):
        text = _text(name, value)
        return _Umbrella(text) if registry.is_umbrella(text) else text
    if isinstance(value, type) and issubclass(value, Workflow) and value.name:
        return _Umbrella(value.name) if value.versions else value.name
    raise InvalidArgument(f"{name}= takes a workflow or its name, not {value!r}")


def _count(name: str, value: object) -> int:
    if type(value) is not int or value < 1:
        raise InvalidArgument(f"{name}= takes a whole number from 1, not {value!r}")
    return value


def _limit(name: str, value: object) -> int:
    if type(value) is not int or value < 0:
        raise InvalidArgument(f"{name}= takes a whole number from 0, not {value!r}")
    return value


def _moment(name: str, value: object) -> datetime:
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise InvalidArgument(f"{name}= takes a datetime with a time zone, not {value!r}")
    return value


def _context(name: str, value: object) -> dict[str, Any]:
    if not isinstance(value, Mapping) or not set(value) <= {"initial", "steps"}:
        raise InvalidArgument(
            f'{name}= is shaped like Instance.context: {{"initial": …, "steps": …}}, not {value!r}'
        )
    normal: dict[str, Any] = data.normalise(value, f"{name}=")
    return normal


def _order(name: str, value: object) -> str:
    if value not in get_args(Order):
        raise InvalidArgument(f"{name}= takes 'newest' or 'oldest', not {value!r}")
    return str(value)


_CHECKS = {
    "id": _text,
    "run_id": _text,
    "status": _status,
    "status_in": _statuses,
    "workflow": _workflow,
    "workflow_version": _count,
    "workflow_family": _text,
    "created_after": _moment,
    "created_before": _moment,
    "updated_after": _moment,
    "updated_before": _moment,
    "tag": _text,
    "context": _context,
    "limit": _limit,
    "order": _order,
    "after": _text,
}

"""A started run, in the hands of the one who started it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias

from hephaestus.duration import Duration
from hephaestus.errors import InvalidArgument
from hephaestus.instance import Entry, Instance, Status
from hephaestus.steps.names import Keyed

AnyStep: TypeAlias = Keyed | type[Keyed] | str
"""A step, or its key."""

AnyWorkflow: TypeAlias = type[Any] | str
"""The class of a workflow, or its name."""


class Verbs(Protocol):
    """What a handle needs of the app that it came from.

    An `id` is a business id or a run id; `workflow` and `version` say which run is meant
    where a business id fits several.
    """

    async def resume(
        self,
        id: str,
        event: str | None = None,
        payload: Mapping[str, Any] | None = None,
        *,
        step: AnyStep | None = None,
        dedup_key: str | None = None,
        workflow: AnyWorkflow | None = None,
        version: int | None = None,
        session: Any = None,
    ) -> None:
        """Deliver an event from outside."""
        ...

    async def get(
        self, id: str, *, workflow: AnyWorkflow | None = None, version: int | None = None
    ) -> Instance:
        """Return the run."""
        ...

    async def cancel(
        self,
        id: str,
        *,
        workflow: AnyWorkflow | None = None,
        version: int | None = None,
        session: Any = None,
    ) -> None:
        """Stop the run."""
        ...

    async def retry(
        self, id: str, *, workflow: AnyWorkflow | None = None, version: int | None = None
    ) -> None:
        """Go on with a failed run."""
        ...

    async def history(
        self, id: str, *, workflow: AnyWorkflow | None = None, version: int | None = None
    ) -> Sequence[Entry]:
        """Return what happened to the run so far."""
        ...

    async def wait(
        self,
        id: str,
        timeout: Duration | None = None,  # noqa: ASYNC109  # raises WaitTimeout, which says more
        *,
        until: Status | Collection[Status] | None = None,
        workflow: AnyWorkflow | None = None,
        version: int | None = None,
    ) -> Instance:
        """Return the run once it is finished or halted; with `until`, finished or one of those."""
        ...

    async def result(
        self,
        id: str,
        timeout: Duration | None = None,  # noqa: ASYNC109  # as for `wait`
        *,
        workflow: AnyWorkflow | None = None,
        version: int | None = None,
    ) -> Any:
        """Return the result of the run once it is completed."""
        ...


@dataclass(frozen=True, slots=True)
class Handle:
    """One run; every verb means this run, whatever else has its business id by then."""

    id: str
    """The business id, as `orderid::42`."""

    run_id: str
    """What tells this run from others of the same id."""

    app: Verbs = field(repr=False, compare=False)
    """The app that started it."""

    async def wait(
        self,
        timeout: Duration | None = None,  # noqa: ASYNC109  # raises WaitTimeout, which says more
        *,
        until: Status | Collection[Status] | None = None,
    ) -> Instance:
        """Return the run once it is finished or halted; with `until`, finished or one of those.

        Raises:
            WaitTimeout: The time passed before that.
        """
        return await self.app.wait(self.run_id, timeout, until=until)

    async def result(
        self,
        timeout: Duration | None = None,  # noqa: ASYNC109  # as for `wait`
    ) -> Any:
        """Return the result of the run once it is completed.

        Raises:
            InstanceFailed: It failed or was cancelled.
            WaitTimeout: The time passed before its end.
        """
        return await self.app.result(self.run_id, timeout)

    async def resume(
        self,
        event: str | None = None,
        payload: Mapping[str, Any] | None = None,
        *,
        step: AnyStep | None = None,
        dedup_key: str | None = None,
    ) -> None:
        """Deliver an event from outside; without one, the default answer of a halt."""
        await self.app.resume(self.run_id, event, payload, step=step, dedup_key=dedup_key)

    async def cancel(self) -> None:
        """Stop the run.

        Raises:
            InstanceFinished: It has ended.
        """
        await self.app.cancel(self.run_id)

    async def retry(self) -> None:
        """Go on with the failed run, from the step that failed.

        Raises:
            NotRetryable: It has not failed.
        """
        await self.app.retry(self.run_id)

    async def get(self) -> Instance:
        """Return the run as it is now."""
        return await self.app.get(self.run_id)

    async def history(self) -> Sequence[Entry]:
        """Return what happened to the run so far."""
        return await self.app.history(self.run_id)


def id_of(run: str | Handle) -> str:
    """Return the id by which a verb is to find a run.

    Raises:
        InvalidArgument: It is neither an id nor a handle.
    """
    # A BlockingHandle or an Instance says as well which run it means.
    id = run if isinstance(run, str) else getattr(run, "run_id", None)
    if not isinstance(id, str):
        raise InvalidArgument(f"a run is meant by its id, its run id or its Handle, not {run!r}")
    return id

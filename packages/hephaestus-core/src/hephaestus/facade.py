"""The verbs of every workflow; each asks the running app."""

import builtins
from collections.abc import Mapping
from typing import Any, ClassVar

from hephaestus import running
from hephaestus.errors import InvalidArgument
from hephaestus.handle import Handle
from hephaestus.instance import Instance
from hephaestus.key import Unique, compose_id
from hephaestus.steps.names import Keyed


class Facade:
    """Starts and steers the runs of a workflow by their business values.

    A value is what follows the key in an id: `42` in `orderid::42`. `version` says which run
    is meant where one value runs in several versions. With `session` the verb takes part in
    the caller's transaction, on storages that can.
    """

    name: ClassVar[str] = ""
    """What the workflow is called wherever its runs are stored."""

    unique: ClassVar[Unique | None] = None
    """What identifies a run; None for a version whose umbrella is not defined yet."""

    app: ClassVar[str | None] = None
    """The name of the app that alone may run it; None: the one that runs."""

    @classmethod
    async def start(
        cls,
        value: str,
        initial: Any = None,
        *,
        version: int | None = None,
        telemetry_metadata: Mapping[str, Any] | None = None,
        session: Any = None,
        **options: Any,
    ) -> Handle:
        """Start a run; the options go to `version_for`.

        Raises:
            AlreadyRunning: An unfinished run holds the value.
            InvalidArgument: The initial data do not fit the declared `input`.
        """
        return await running.current(cls.app).start_instance(
            cls,
            initial,
            id=compose_id(cls.declared_unique(), value),
            version=version,
            telemetry_metadata=telemetry_metadata,
            session=session,
            **options,
        )

    @classmethod
    async def resume(
        cls,
        value: str,
        event: str | None = None,
        payload: Mapping[str, Any] | None = None,
        *,
        step: Keyed | type[Keyed] | str | None = None,
        dedup_key: str | None = None,
        version: int | None = None,
        session: Any = None,
    ) -> None:
        """Deliver an event from outside; without one, the default answer of a halt.

        Raises:
            InstanceNotFound: There is no such run.
            UnknownEvent: No step takes the event.
            AmbiguousEvent: Several steps could take it; say `step`.
        """
        await running.current(cls.app).resume(
            cls._id(value),
            event,
            payload,
            step=step,
            dedup_key=dedup_key,
            workflow=cls,
            version=version,
            session=session,
        )

    @classmethod
    async def get(cls, value: str, *, version: int | None = None) -> Instance:
        """Return the unfinished run, else the newest.

        Raises:
            InstanceNotFound: There is no such run.
        """
        app = running.current(cls.app)
        return await app.get(cls._id(value), workflow=cls, version=version)

    @classmethod
    async def list(cls, **filters: Any) -> builtins.list[Instance]:
        """Return the runs of this workflow that pass all filters."""
        return await running.current(cls.app).query(**(filters | {"workflow": cls}))

    @classmethod
    async def cancel(cls, value: str, *, version: int | None = None, session: Any = None) -> None:
        """Stop the run.

        Raises:
            InstanceFinished: It has ended.
        """
        app = running.current(cls.app)
        await app.cancel(cls._id(value), workflow=cls, version=version, session=session)

    @classmethod
    async def retry(cls, value: str, *, version: int | None = None) -> None:
        """Go on with a failed run, from the step that failed.

        Raises:
            NotRetryable: It has not failed.
        """
        app = running.current(cls.app)
        await app.retry(cls._id(value), workflow=cls, version=version)

    @classmethod
    def declared_unique(cls) -> Unique:
        """Return what identifies a run.

        Raises:
            InvalidArgument: The workflow has no key, so it cannot run.
        """
        if cls.unique is None:
            raise InvalidArgument(
                f"workflow {cls.__qualname__} has no key yet: a version gets it from the umbrella "
                "that it is nested in; start the umbrella, or declare unique="
            )
        return cls.unique

    @classmethod
    def _id(cls, value: str) -> str:
        unique = cls.declared_unique()
        if unique.scope == "none":
            raise InvalidArgument(
                f"a value does not identify a run of workflow {cls.name!r}, whose scope is "
                "'none'; use the Handle that start returned, or its run_id on the app"
            )
        return compose_id(unique, value)

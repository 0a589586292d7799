"""What a step is given: `ctx`."""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from hephaestus import data, inputs
from hephaestus.errors import Fatal, InvalidArgument
from hephaestus.instance import Identity
from hephaestus.nearest import did_you_mean
from hephaestus.steps.names import Keyed, key_of

_NOBODY = Identity(id="test::1", run_id="test", workflow="test", workflow_version=1)
"""Whom a step works for in a unit test that does not say."""


class StepContext:
    """What one attempt of a step knows: copies of the run's data, its own to change.

    Make one in the unit test of a step; everything but `initial` may be left out. The values
    are data of the user's own shape, hence `Any`.
    """

    __slots__ = (
        "_answer", "_config", "_copies", "_identity", "_initial", "_input", "_looked_at",
        "_results", "_session", "_step", "attempt",
    )  # fmt: skip

    def __init__(
        self,
        initial: Mapping[str, Any],
        steps: Mapping[str, Any] | None = None,
        *,
        config: Mapping[str, Any] | None = None,
        instance: Identity = _NOBODY,
        step: str = "step",
        attempt: int = 1,
        answer: Mapping[str, Any] | None = None,
        session: Any = None,
        input: Any = None,
    ) -> None:
        """Take the values of the run; each is copied when it is first looked at.

        Args:
            steps: The results that the step sees, by key.
            step: The key of the step itself.
            input: The type of the initial data.
        """
        self._identity = instance
        self.attempt = attempt
        self._step = step
        self._initial = initial
        self._results: Mapping[str, Any] = {} if steps is None else steps
        self._config: Mapping[str, Any] = {} if config is None else config
        self._answer = answer
        self._session = session
        self._input = input
        self._copies: dict[str, Any] = {}
        self._looked_at: dict[str, Any] = {}

    @property
    def initial(self) -> dict[str, Any]:
        """The data given to `start`."""
        return self._copy("initial", self._initial)

    @property
    def input(self) -> Any:
        """The initial data as an instance of the type that the workflow declares.

        Raises:
            InvalidArgument: The workflow declares none.
            Fatal: What is stored does not fit the type, which has changed since the run began; a
                retry of the run takes it up again once the type takes the data.
        """
        if self._input is None:
            raise InvalidArgument(
                f"step {self._step!r} asks for ctx.input, and workflow "
                f"{self._identity.workflow!r} declares no type; add input= to the workflow, or "
                "read ctx.initial"
            )
        if "input" not in self._copies:
            try:
                self._copies["input"] = inputs.decoded(self._input, data.copied(self._initial))
            except InvalidArgument as error:
                raise Fatal(
                    f"{error}; the type has changed since the run began: give new fields a "
                    "default, or the workflow a new version, and retry the run"
                ) from error
        return self._copies["input"]

    @property
    def steps(self) -> dict[str, Any]:
        """The results of the steps before this one, by key."""
        if "steps" not in self._copies:
            self._copies["steps"] = {key: self[key] for key in self._results}
        copy: dict[str, Any] = self._copies["steps"]
        return copy

    @property
    def config(self) -> dict[str, Any]:
        """What the transition gave with `using`; empty where it gave nothing."""
        return self._copy("config", self._config)

    @property
    def instance(self) -> Identity:
        """The run that the step works for: its ids, workflow, tags and metadata."""
        if "instance" not in self._copies:
            given = self._identity
            self._copies["instance"] = msgspec.structs.replace(
                given,
                metadata=data.copied(given.metadata),
                runtime_metadata=data.copied(given.runtime_metadata),
                telemetry_metadata=data.copied(given.telemetry_metadata),
            )
        copy: Identity = self._copies["instance"]
        return copy

    @property
    def answer(self) -> dict[str, Any] | None:
        """What answered the halt of an earlier attempt."""
        return None if self._answer is None else self._copy("answer", self._answer)

    @property
    def session(self) -> Any:
        """The database session of a transactional step.

        Raises:
            InvalidArgument: The step is not transactional.
        """
        if self._session is None:
            raise InvalidArgument(
                f"step {self._step!r} has no session; declare it with transactional=True"
            )
        return self._session

    @property
    def idempotency_key(self) -> str:
        """The same text in every attempt of this step in this run, and in no other."""
        return f"{self._identity.run_id}/{self._step}"

    def __getitem__(self, step: Keyed | type[Keyed] | str) -> Any:
        """Return the result of a step before this one.

        Raises:
            KeyError: The step is not before this one, or was skipped.
        """
        key = key_of(step)
        if key not in self._results:
            raise NoResult(key, self._step, tuple(self._results))
        # A step after a thousand others that looks at one of them copies that one alone.
        copies = self._copies.get("steps", self._looked_at)
        if key not in copies:
            copies[key] = data.copied(self._results[key])
        return copies[key]

    def __contains__(self, step: Keyed | type[Keyed] | str) -> bool:
        """Tell whether a step before this one has a result: it was not skipped."""
        return key_of(step) in self._results

    def __repr__(self) -> str:
        return f"<ctx of step {self._step!r}, attempt {self.attempt}, of {self._identity.id!r}>"

    def _copy(self, name: str, value: Mapping[str, Any]) -> dict[str, Any]:
        if name not in self._copies:
            self._copies[name] = data.copied(dict(value))
        copy: dict[str, Any] = self._copies[name]
        return copy


class NoResult(KeyError):
    """A result that `ctx` does not show; its name is what a failed run says went wrong."""

    def __init__(self, key: str, step: str, visible: Iterable[str]) -> None:
        super().__init__(key, step, tuple(visible))

    def __str__(self) -> str:
        key, step, visible = self.args
        return (
            f"step {step!r} sees no result of {key!r}{did_you_mean(key, visible)}; it sees those "
            f"of the steps that lead to it and were not skipped: {', '.join(visible) or 'none'}"
        )

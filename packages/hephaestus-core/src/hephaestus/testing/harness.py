"""One run of a workflow, in the hands of a test."""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import Any, TypeAlias

from hephaestus import duration
from hephaestus.codec import Codec
from hephaestus.context import Context
from hephaestus.duration import Duration
from hephaestus.errors import InvalidArgument
from hephaestus.execution import cancel_message, event_message
from hephaestus.instance import Instance
from hephaestus.key import compose_id
from hephaestus.steps import key_of
from hephaestus.testing.clock import VirtualClock
from hephaestus.testing.stand_in import stand_ins
from hephaestus.testing.stepwise import Attempt, Stepwise
from hephaestus.workflow import Workflow

Happening: TypeAlias = str | tuple[str, Mapping[str, Any]] | timedelta
"""What comes from outside: an event, an event with its payload, or time that passes."""

_NOTHING: Mapping[Any, object] = MappingProxyType({})


class Harness:
    """Runs one workflow for a test: in memory, in virtual time, one step after the other.

        harness = Harness(OrderFlow, replace={ChargePayment: {"amount": 30}})

        order = await harness.run({"item_count": 3})
        assert order.waiting_steps == {"paid"}

        order = await harness.resume("paid", {"receipt": "r-1"})
        assert order.result == {"receipt": "r-1"}

    Every verb returns the run, with its history, as soon as it has ended or waits for the
    outside. Backoff takes no real time. Neither does a `Wait`; it passes by itself unless
    another step waits for an event or an answer: then `resume` or `advance` says what comes
    first. No app runs, so a step that starts another workflow is best replaced.

    What replaces a step is a function of `ctx`, a Step, an exception to raise, or what the step
    shall return; a list has one of these for each attempt, the last for all that follow. The
    step keeps its key, its events, its time limit and its retry policy.

    Args:
        workflow: The workflow, or an umbrella over its versions.
        replace: Step → what stands in for it.
        version: The version of an umbrella, if not its current one.
        clock: The clock to move; a new one if left out.
        concurrent: Execute steps that are ready together at the same time.

    Raises:
        InvalidArgument: It is no workflow, or there is no such version, or no such step that can
            be replaced; or a transactional step is not replaced.
    """

    def __init__(
        self,
        workflow: type[Workflow],
        *,
        replace: Mapping[Any, object] = _NOTHING,
        version: int | None = None,
        clock: VirtualClock | None = None,
        concurrent: bool = False,
    ) -> None:
        self.clock = VirtualClock() if clock is None else clock
        if not (isinstance(workflow, type) and issubclass(workflow, Workflow)):
            raise InvalidArgument(f"a Harness runs a workflow class, not {workflow!r}")
        self._workflow = workflow.resolve(version)
        self._steps = stand_ins(self._workflow, replace)
        self._concurrent = concurrent
        self._codec = Codec()
        self._driver = self._new_driver()

    @property
    def attempts(self) -> list[Attempt]:
        """The bodies that were executed in this run, in their order."""
        return list(self._driver.attempts)

    def attempts_of(self, step: object) -> list[Attempt]:
        """Return the executions of one step, given as a step or by its key."""
        key = key_of(step)
        return [attempt for attempt in self.attempts if attempt.step == key]

    async def run(
        self, initial: object = None, *, value: str = "1", events: Iterable[Happening] = ()
    ) -> Instance:
        """Start a new run, and let happen what is listed, each when the run waits.

        Args:
            initial: The initial data.
            value: The business value, the second part of the id.
            events: What comes from outside, in this order: `"approved"`,
                `("paid", {"receipt": "r-1"})`, or a timedelta that passes.
        """
        if isinstance(events, str):
            raise InvalidArgument(f"events= takes a list, as [{events!r}], not {events!r}")
        self._driver = self._new_driver()
        initial = self._workflow.plain_initial(initial)
        instance = await self._driver.start(
            Instance(
                id=compose_id(self._workflow.declared_unique(), value),
                workflow=self._workflow.name,
                workflow_version=self._workflow.version,
                context=Context(initial=self._codec.checked(initial, "the initial data")),
                tags=self._workflow.tags,
                created_at=self.clock.now(),
            )
        )
        for event in events:
            instance = await self._let_happen(event)
        return instance

    async def resume(
        self,
        event: str | None = None,
        payload: Mapping[str, Any] | None = None,
        *,
        step: object = None,
    ) -> Instance:
        """Send an event, or the answer to a halt.

        Raises:
            InstanceFinished: The run is completed or cancelled.
            UnknownEvent: No step takes the event.
            AmbiguousEvent: Several steps could; say which with `step`.
        """
        instance = await self._driver.get()
        key = None if step is None else key_of(step)
        return await self._driver.post(
            event_message(instance, event, payload, codec=self._codec, step=key)
        )

    async def advance(self, by: Duration) -> Instance:
        """Let time pass; timers and retries that fall into it fire, each at its time."""
        until = self.clock.now() + duration.parse(by, "by")
        instance = await self._driver.go_on(until)
        await self.clock.advance(max(until - self.clock.now(), timedelta()))
        return instance

    async def retry(self) -> Instance:
        """Take the failed run up again.

        Raises:
            NotRetryable: It is not failed.
        """
        return await self._driver.retry()

    async def cancel(self) -> Instance:
        """Stop the run."""
        return await self._driver.post(cancel_message(await self._driver.get()))

    async def _let_happen(self, event: Happening) -> Instance:
        match event:
            case timedelta():
                return await self.advance(event)
            case str():
                return await self.resume(event)
            case name, payload:
                return await self.resume(name, payload)

    def _new_driver(self) -> Stepwise:
        return Stepwise(self._workflow, self._steps, self.clock, concurrent=self._concurrent)

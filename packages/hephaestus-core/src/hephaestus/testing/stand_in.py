"""What a test puts in the place of a step."""

import inspect
from collections.abc import Callable, Mapping
from typing import Any, cast

from hephaestus.errors import InvalidArgument
from hephaestus.nearest import did_you_mean
from hephaestus.steps import Step, StepContext, as_step, key_of
from hephaestus.workflow import Workflow


class StandIn(Step):
    """Answers for a step, under its key, with its events and its time limit."""

    def __init__(self, step: Step, reply: object) -> None:
        self.key = step.key
        self.events = step.events
        self.timeout = step.timeout
        self._replies = reply if isinstance(reply, list) else [reply]

    async def execute(self, ctx: StepContext) -> object:
        """Return what the reply stands for; the last of several serves all later attempts."""
        reply = self._replies[min(ctx.attempt, len(self._replies)) - 1]
        if _is_exception(reply):
            raise cast("BaseException", reply)
        function = _function_of(reply)
        if function is None:
            return reply
        returned = function(ctx)
        return await returned if inspect.isawaitable(returned) else returned


def stand_ins(workflow: type[Workflow], replace: Mapping[Any, object]) -> dict[str, Step]:
    """Return the steps of a workflow by key, some of them replaced.

    Raises:
        InvalidArgument: The workflow has no such step, or a step cannot be replaced, or it has
            to be.
    """
    steps = dict(workflow.graph.steps)
    for reference, reply in replace.items():
        key = key_of(reference)
        if key not in steps:
            raise InvalidArgument(
                f"workflow {workflow.name!r} has no step {key!r} to replace"
                f"{did_you_mean(key, steps)}"
            )
        if steps[key].settled:
            raise InvalidArgument(
                f"step {key!r} has no body to replace; move the clock or send it an event"
            )
        if reply == []:
            raise InvalidArgument(f"the replies of step {key!r} are empty; give at least one")
        steps[key] = StandIn(steps[key], reply)
    for key, step in steps.items():
        if step.transactional:
            raise InvalidArgument(
                f"step {key!r} is transactional, and there is no database here; replace it"
            )
    return steps


def _is_exception(reply: object) -> bool:
    return isinstance(reply, BaseException) or (
        isinstance(reply, type) and issubclass(reply, BaseException)
    )


def _function_of(reply: object) -> Callable[[StepContext], object] | None:
    if isinstance(reply, Step) or (isinstance(reply, type) and issubclass(reply, Step)):
        return as_step(reply).execute
    return reply if callable(reply) else None

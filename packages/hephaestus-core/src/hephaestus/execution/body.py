"""Executing one attempt of a step: its body, its time limit, its outcome."""

import asyncio
import logging
import time
import traceback
from collections.abc import Awaitable, Callable

import msgspec

from hephaestus.codec import Codec
from hephaestus.engine import step_context
from hephaestus.errors import Fatal, TransactionConflict
from hephaestus.execution.returned import interpret
from hephaestus.execution.threads import in_thread
from hephaestus.instance import ActiveStep, Instance
from hephaestus.message import StepEnded
from hephaestus.outcome import Completed, Failed, Halt, Outcome, Suspend, text_of
from hephaestus.steps import Step, StepContext
from hephaestus.storage import Transaction
from hephaestus.telemetry import bus, events
from hephaestus.transitions import Choose
from hephaestus.workflow import Workflow

_log = logging.getLogger("hephaestus.runner")
_LONGEST_TRACE = 10_000


async def execute(
    workflow: type[Workflow],
    instance: Instance,
    step: Step,
    codec: Codec,
    stopped: Callable[[], bool],
    *,
    transaction: Transaction | None = None,
) -> StepEnded:
    """Run the step's body once and return what it came to; it never raises what the body raises.

    Args:
        stopped: Whether a cancellation is meant: the lease is lost, or the runner closes.
        transaction: That of a transactional step.

    Raises:
        CancelledError: The body was stopped.
        TransactionConflict: The transaction is to be repeated.
    """
    key = step.key
    record = instance.active[key]
    if bus.anyone():
        active = len(instance.active)
        events.step_start(
            instance, step=key, attempt=record.attempt, concurrent=active > 1, active=active
        )
    started = time.perf_counter()
    trace: str | None = None
    try:
        outcome = await _outcome(workflow, instance, step, codec, transaction)
    except (GeneratorExit, KeyboardInterrupt):
        raise
    except BaseException as error:  # whatever a body raises is its outcome
        if isinstance(error, asyncio.CancelledError):
            if stopped():
                raise
            _take_back(asyncio.current_task())
        if transaction is not None and transaction.conflicts(error):
            raise TransactionConflict(text_of(error)) from error
        outcome = _failed(error)
        trace = "".join(traceback.format_exception(error))
        if not bus.listening(bus.STEP_EXCEPTION):
            # Nobody else would say it before the last attempt, and then without the place.
            _log.warning(
                "step %r of %s failed in attempt %d\n%s",
                key, instance.id, record.attempt, _printable(trace),
            )  # fmt: skip
    duration = time.perf_counter() - started
    ended = StepEnded(step=key, attempt=record.attempt, outcome=outcome, duration=duration)
    if bus.anyone():
        _tell(instance, ended, trace)
    return ended


def given_up(instance: Instance, key: str, error: Exception) -> StepEnded:
    """Return the failure of an attempt whose body does not count, and tell of it."""
    attempt = instance.active[key].attempt
    _log.warning("step %r of %s failed in attempt %d: %s", key, instance.id, attempt, error)
    ended = StepEnded(step=key, attempt=attempt, outcome=_failed(error), duration=0.0)
    if bus.anyone():
        _tell(instance, ended, None)
    return ended


def refused(workflow: type[Workflow], instance: Instance, key: str) -> StepEnded:
    """Return the failure of a step at which a run stands, and which its workflow does not have."""
    reason = (
        f"workflow {workflow.name!r} version {workflow.version} has no step {key!r} in the "
        "process that was to execute it; give a changed definition a new version="
    )
    return given_up(instance, key, Fatal(reason))


async def _outcome(
    workflow: type[Workflow],
    instance: Instance,
    step: Step,
    codec: Codec,
    transaction: Transaction | None,
) -> Outcome:
    record = instance.active[step.key]
    session = None if transaction is None else transaction.session
    context = step_context(workflow, instance, step.key, record, session=session)
    limit = step.time_limit
    if limit is None:
        returned = await _call(step, context, transaction)
    else:
        seconds = limit.total_seconds()
        try:
            async with asyncio.timeout(seconds) as scope:
                returned = await _call(step, context, transaction)
        except TimeoutError:
            if not scope.expired():
                raise
            return Failed(type="TimeoutError", message=f"it took longer than {seconds:g} s")
    outcome = interpret(step, returned, codec)
    if isinstance(outcome, Completed) and step.key in workflow.graph.choosing:
        return _with_choice(workflow, instance, step, record, outcome)
    return outcome


def _call(step: Step, context: StepContext, transaction: Transaction | None) -> Awaitable[object]:
    if transaction is not None:
        return _call_and_flush(step, context, transaction)
    if step.is_async:
        return step.execute(context)  # type: ignore[return-value]  # a coroutine
    return _call_in_thread(step, context)


async def _call_and_flush(step: Step, context: StepContext, transaction: Transaction) -> object:
    """Let what the database says about the step's effects be what the step itself says."""
    returned = await step.execute(context)  # type: ignore[misc]  # a coroutine
    await transaction.flush()
    return returned


async def _call_in_thread(step: Step, context: StepContext) -> object:
    returned = await in_thread(lambda: step.execute(context), f"hephaestus-step-{step.key}")
    if asyncio.iscoroutine(returned):
        return await returned
    return returned


def _with_choice(
    workflow: type[Workflow],
    instance: Instance,
    step: Step,
    record: ActiveStep,
    outcome: Completed,
) -> Completed:
    """Let a `Choose` decide here, so that its choice travels with the outcome."""
    target = workflow.graph.target(step.key, outcome.event)
    if not isinstance(target, Choose):
        return outcome
    context = step_context(workflow, instance, step.key, record, own=outcome.data)
    return msgspec.structs.replace(outcome, routes=target.pick(context))


def _take_back(task: "asyncio.Task[object] | None") -> None:
    """Undo the cancellations that a body brought upon itself."""
    while task is not None and task.cancelling():
        task.uncancel()


def _printable(trace: str) -> str:
    """Return the end of a trace, which says where, without what no log can hold."""
    return trace[-_LONGEST_TRACE:].encode(errors="replace").decode()


def _failed(error: BaseException) -> Failed:
    return Failed(type=type(error).__name__, message=text_of(error), fatal=isinstance(error, Fatal))


def _tell(instance: Instance, ended: StepEnded, trace: str | None) -> None:
    key, attempt, duration = ended.step, ended.attempt, ended.duration
    match ended.outcome:
        case Completed(event=event, data=data, metadata=metadata):
            events.step_stop(
                instance,
                step=key,
                attempt=attempt,
                duration=duration,
                event=event,
                has_data=bool(data),
                has_metadata=bool(metadata),
            )
        case Suspend():
            events.step_async(instance, step=key, attempt=attempt, duration=duration)
        case Halt():
            events.step_async(
                instance, step=key, attempt=attempt, duration=duration, status="halted"
            )
        case Failed(type=kind, message=reason):
            events.step_exception(
                instance,
                step=key,
                attempt=attempt,
                duration=duration,
                kind=kind,
                reason=reason,
                stacktrace=trace,
            )

"""What a step sees of its run."""

from typing import Any

from hephaestus.instance import ActiveStep, Identity, Instance
from hephaestus.steps import StepContext
from hephaestus.workflow import Workflow


def step_context(
    workflow: type[Workflow],
    instance: Instance,
    key: str,
    record: ActiveStep,
    *,
    own: dict[str, Any] | None = None,
    session: object = None,
) -> StepContext:
    """Return what the step sees: the initial data and the results of its ancestors.

    Siblings are not shown, whether or not they happen to have ended. `own` adds the step's
    own result, for a `Choose` that is asked right after it; `session` is that of the
    transaction in which the step is executed.
    """
    results = instance.context.steps
    ancestors = workflow.graph.ancestors[key]
    visible = {}
    for ancestor in ancestors:
        if ancestor in results:
            visible[ancestor] = results[ancestor]
    if own is not None:
        visible[key] = own
    identity = Identity(
        id=instance.id,
        run_id=instance.run_id,
        workflow=instance.workflow,
        workflow_version=instance.workflow_version,
        tags=instance.tags,
        metadata=workflow.metadata,
        runtime_metadata=instance.runtime_metadata,
        telemetry_metadata=instance.telemetry_metadata,
    )
    return StepContext(
        step=key,
        initial=instance.context.initial,
        steps=visible,
        config=record.config,
        instance=identity,
        attempt=record.attempt,
        answer=record.answer,
        session=session,
        input=workflow.input,
    )

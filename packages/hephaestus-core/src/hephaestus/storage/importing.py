"""Runs that come from elsewhere, for `put`."""

import msgspec

from hephaestus import registry
from hephaestus.errors import UnknownWorkflow
from hephaestus.instance import Instance
from hephaestus.key import unique_key


def with_key(instance: Instance) -> Instance:
    """Return the run with the key that it holds while it is unfinished.

    A run read from a storage has one. For another it is made from what the workflow declares,
    where this process knows the workflow.
    """
    if instance.unique_key is not None:
        return instance
    try:
        workflow = registry.find(instance.workflow, instance.workflow_version)
    except UnknownWorkflow:
        return instance
    key = unique_key(
        workflow.declared_unique(), instance.id, workflow.family, instance.workflow_version
    )
    return msgspec.structs.replace(instance, unique_key=key)

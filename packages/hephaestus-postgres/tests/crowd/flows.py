"""A workflow for each scope; its runs stay unfinished until an event comes."""

from hephaestus import Done, Unique, WaitForEvent, Workflow

paid = WaitForEvent("paid")


class OfWorkflow(Workflow, unique="ofworkflow"):
    start_step = paid
    transitions = {paid: {"received": Done}}


class OfVersion(Workflow, unique=Unique("ofversion", scope="version")):
    start_step = paid
    transitions = {paid: {"received": Done}}


class OfAll(Workflow, unique=Unique("ofall", scope="global")):
    start_step = paid
    transitions = {paid: {"received": Done}}


class OfNone(Workflow, unique=Unique("ofnone", scope="none")):
    start_step = paid
    transitions = {paid: {"received": Done}}


FLOWS = {flow.__name__: flow for flow in (OfWorkflow, OfVersion, OfAll, OfNone)}

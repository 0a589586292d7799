"""The command `hephaestus`: workflows and their runs, from a shell.

Needs the extra `[cli]`. Nothing but `run` executes a step.
"""

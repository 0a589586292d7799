"""The runner that executes steps on the event loop of this process."""

from hephaestus.local.runner import LocalRunner

__all__ = ["LocalRunner"]

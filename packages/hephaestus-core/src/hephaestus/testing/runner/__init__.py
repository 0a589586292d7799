"""The proof of a runner: subclass `RunnerContract`, say how to make one, and run pytest."""

from hephaestus.testing.runner.contract import RunnerContract

__all__ = ["RunnerContract"]

"""The examples of a document as one program, whose workflows are forgotten when it ends."""

from typing import Any

from hephaestus import registry


def begin(namespace: dict[str, Any]) -> None:
    """Let the examples look like what is run by itself."""
    namespace["__name__"] = "__main__"


def end(namespace: dict[str, Any]) -> None:  # noqa: ARG001  # Sybil hands it over
    """Forget the workflows of a program: the next one may use their names."""
    for workflow in {registry.find(name) for name, _ in registry.known()}:
        if workflow.__module__ == "__main__":
            registry.unregister(workflow)

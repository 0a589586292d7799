"""What lines of steps need: a thread, as long as one of them may be a plain function."""

from functools import lru_cache

from hephaestus.graph import Graph


@lru_cache(maxsize=1024)
def needs_thread(graph: Graph, step: str) -> bool:
    """Tell whether a step is a plain function, or one that may follow it is."""
    plain = [key for key, one in graph.steps.items() if not (one.is_async or one.settled)]
    return any(key == step or step in graph.ancestors[key] for key in plain)

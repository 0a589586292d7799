"""What lines of steps need: a thread, as long as a step may follow that is executed in one."""

from functools import lru_cache

from hephaestus.graph import Graph


@lru_cache(maxsize=1024)
def needs_thread(graph: Graph, step: str) -> bool:
    """Tell whether a step, or one that may follow it, is executed by no more than have threads.

    Those are plain functions, and transactional steps: each of them holds a connection.
    """
    bound = [
        key
        for key, one in graph.steps.items()
        if one.transactional or not (one.is_async or one.settled)
    ]
    return any(key == step or step in graph.ancestors[key] for key in bound)

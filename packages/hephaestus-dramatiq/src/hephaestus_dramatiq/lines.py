"""What lines of steps need: a thread, as long as a step may follow that is executed in one."""

from functools import lru_cache

from hephaestus.graph import Graph


@lru_cache(maxsize=1024)
def needs_thread(graph: Graph, step: str) -> bool:
    """Tell whether a step, or one that may follow it in its line, is one that a thread is for.

    Those are plain functions, and transactional steps: each of them holds a connection. A line
    ends where its run waits.
    """
    seen, ahead = {step}, [step]
    while ahead:
        key = ahead.pop()
        one = graph.steps.get(key)
        if one is None or one.settled:
            continue
        if one.transactional or not one.is_async:
            return True
        new = [after for after in graph.successors[key] if after not in seen]
        seen.update(new)
        ahead += new
    return False

"""How often the bodies of steps were executed, and why more than once."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise

from crashes.damage import Damage
from crashes.effects import Note
from hephaestus.instance import Entry


@dataclass
class Executions:
    """The second executions of all steps, by what explains them."""

    second: int = 0
    """How many executions repeated one whose outcome was never taken."""

    killed: int = 0
    """Those that followed a kill of the process, or an outage of the database."""

    stalled: int = 0
    """Those after a lease that a living process has lost: the machine was too busy."""

    unexplained: list[str] = field(default_factory=list)


def explain(
    notes: Iterable[Note], histories: Mapping[str, Iterable[Entry]], damage: Damage
) -> Executions:
    """Count second executions; an attempt that follows a failed one is none."""
    executions = Executions()
    ended = {
        (run_id, entry.step, entry.attempt): entry.action
        for run_id, history in histories.items()
        for entry in history
        if entry.action in ("failed", "lost")
    }
    by_step: defaultdict[tuple[str, str], list[Note]] = defaultdict(list)
    for note in notes:
        by_step[note.run_id, note.step].append(note)
    for (run_id, step), of_step in by_step.items():
        of_step.sort(key=lambda note: (note.attempt, note.at))
        for before, after in pairwise(of_step):
            how = ended.get((run_id, step, before.attempt))
            if how == "failed" and after.attempt > before.attempt:
                continue
            executions.second += 1
            was_away = damage.was_away(before.at, after.at)
            if how != "lost" or after.attempt == before.attempt:
                # Only the transaction of a step repeats its body in the same attempt.
                if was_away and before.pid == after.pid:
                    executions.killed += 1
                else:
                    executions.unexplained.append(f"{before} and {after}")
            elif was_away or damage.ended(before.pid, before.at, after.at):
                executions.killed += 1
            else:
                executions.stalled += 1
    return executions

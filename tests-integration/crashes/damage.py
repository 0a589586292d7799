"""What was done to the processes of a scenario, and when."""

from dataclasses import dataclass, field


@dataclass
class Damage:
    """Kills and outages; what they explain needs no other explanation."""

    kills: dict[int, float] = field(default_factory=dict)
    """When each killed worker ended, by process."""

    outages: list[tuple[float, float]] = field(default_factory=list)
    """When the database was away."""

    restarts: int = 0
    """How often a server was killed or made to forget."""

    def ended(self, pid: int, since: float, until: float) -> bool:
        """Tell whether a process was killed between two times."""
        return since <= self.kills.get(pid, 0) <= until

    def was_away(self, since: float, until: float) -> bool:
        """Tell whether the database was away at some time between two others."""
        return any(began <= until and ended >= since for began, ended in self.outages)

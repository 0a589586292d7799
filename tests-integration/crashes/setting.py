"""What the processes of one scenario have to agree about, as one line of JSON."""

import msgspec

Kill = str
"""When a doomed process ends: `before` or `after` a verb of its storage."""


class Doom(msgspec.Struct, frozen=True, kw_only=True):
    """At which of its storage's verbs a worker process ends."""

    verb: int
    """The number of the verb, from 1."""

    when: Kill


class Setting(msgspec.Struct, frozen=True, kw_only=True):
    """Where a scenario happens."""

    storage: str
    """The URL of the database."""

    space: str
    """The schema or the namespace."""

    folder: str
    """Where the processes write what they do."""

    broker: str | None = None
    """The URL of the broker; without one the workers' runner is local."""

    queue: str = "crashes"
    lease: float = 2.0
    poll: float = 0.2
    dispatch: float = 2.0
    """Seconds that a step which was sent has to be begun, before it is sent again."""

    name: str | None = None
    """The worker's name, for those that bear one."""

    doom: Doom | None = None
    starts: tuple[str, ...] = ()
    """The runs that a worker starts itself, by kind and number."""

    @property
    def is_transactional(self) -> bool:
        """Whether the database has transactions for steps."""
        return self.storage.startswith("postgresql")

    @property
    def effects(self) -> str:
        """The table that transactional steps write into."""
        return f"{self.space}.crash_effects"

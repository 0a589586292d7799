"""The tables as mixins, for an application that wants them among its own models.

    class Base(DeclarativeBase): ...

    class WorkflowInstance(InstanceMixin, Base):
        __tablename__ = "workflow_instances"

What a storage builds for itself from table names is made of the same mixins.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Double,
    Identity,
    Index,
    Integer,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSON, JSONB, TIMESTAMP
from sqlalchemy.orm import Mapped, declared_attr, mapped_column
from sqlalchemy.schema import conv

from hephaestus.instance import STATUSES, TERMINAL

VERSION = 1
"""The version of the schema that this code reads and writes."""

_ENDED = ", ".join(f"'{status}'" for status in STATUSES if status in TERMINAL)
# Every type is given and every name final (`conv`), whatever an application's own models map or
# call theirs. In the order of bytes, as Python compares; and a prefix is found by the index.
_Key = Text(collation="C")
_Moment = TIMESTAMP(timezone=True)


class InstanceMixin:
    """One row per run."""

    __tablename__: str

    # What never changes comes first: of an update, PostgreSQL logs from the first difference on.
    run_id: Mapped[str] = mapped_column(_Key, primary_key=True)
    id: Mapped[str] = mapped_column(_Key)
    """The business id, as `orderid::42`."""

    workflow: Mapped[str] = mapped_column(_Key)
    workflow_version: Mapped[int] = mapped_column(Integer, server_default=text("1"))
    unique_key: Mapped[str | None] = mapped_column(_Key)
    """What no other unfinished run may hold."""

    tags: Mapped[list[str]] = mapped_column(JSONB, server_default=text("'[]'"))
    created_at: Mapped[datetime] = mapped_column(_Moment)
    initial: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'"))
    """The data given to `start`."""

    status: Mapped[str] = mapped_column(Text, server_default=text("'pending'"))
    wake_at: Mapped[datetime | None] = mapped_column(_Moment)
    """When to look at the run, leases and messages apart."""

    due_at: Mapped[datetime | None] = mapped_column(_Moment)
    """The earlier of that and of the end of a lease, rounded down so that it seldom changes."""

    handed_until: Mapped[datetime | None] = mapped_column(_Moment)
    """Until when a process looks after the run that found it due."""

    updated_at: Mapped[datetime | None] = mapped_column(_Moment)
    finished_at: Mapped[datetime | None] = mapped_column(_Moment)
    lease_ends: Mapped[datetime | None] = mapped_column(_Moment)
    """When the first of the leases ends."""

    revision: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    token: Mapped[str] = mapped_column(Text, server_default=text("''"))
    """Of the last commit, to know it again when it is repeated."""

    # The cast is for Alembic, which compares what is not alike in the database: json has no `=`.
    state: Mapped[dict[str, Any]] = mapped_column(
        JSON, server_default=text("""'{"format": 1}'::json""")
    )
    """What is rewritten at every commit, as text: steps under way and finished, metadata, error."""

    leases: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'"))
    """Who executes which step: `{"step/attempt": {"holder", "name", "until"}}`."""

    @declared_attr.directive
    def __table_args__(cls) -> tuple[Any, ...]:  # noqa: N805  # SQLAlchemy hands it the class
        name = cls.__tablename__
        return (
            CheckConstraint(
                f"status IN ({', '.join(repr(status) for status in STATUSES)})",
                name=conv(f"{name}_status_check"),
            ),
            Index(
                f"{name}_unique_key_idx",
                "unique_key",
                unique=True,
                postgresql_where=text(f"unique_key IS NOT NULL AND status NOT IN ({_ENDED})"),
            ),
            Index(f"{name}_id_idx", "id"),
            Index(f"{name}_created_idx", "created_at"),
            # Most runs are completed: those in a list are found by the time of creation.
            Index(
                f"{name}_status_idx",
                "status",
                "created_at",
                postgresql_where=text("status <> 'completed'"),
            ),
            Index(f"{name}_workflow_idx", "workflow", "created_at"),
            Index(
                f"{name}_initial_idx",
                "initial",
                postgresql_using="gin",
                postgresql_ops={"initial": "jsonb_path_ops"},
                # What waits in its list to be sorted in later is written twice.
                postgresql_with={"fastupdate": "off"},
            ),
            Index(f"{name}_due_idx", "due_at", postgresql_where=text("due_at IS NOT NULL")),
            Index(
                f"{name}_finished_idx",
                "finished_at",
                postgresql_where=text("finished_at IS NOT NULL"),
            ),
            # Room for the versions of a row on its own page: then no index hears of an update.
            {"comment": comment(VERSION), "postgresql_with": {"fillfactor": 40}},
        )


class EntryMixin:
    """One row per line of a run's history; that of a completed step holds its result."""

    __tablename__: str

    # Those of a fixed length come first: then none has to be aligned.
    sequence: Mapped[int] = mapped_column(BigInteger, Identity(always=True))
    """The order of arrival."""

    timestamp: Mapped[datetime] = mapped_column(_Moment)
    duration: Mapped[float | None] = mapped_column(Double)
    """Seconds."""

    attempt: Mapped[int | None] = mapped_column(Integer)
    is_result: Mapped[bool] = mapped_column(Boolean, server_default=text("false"))
    """Whether `output` is what the steps after this one see."""

    run_id: Mapped[str] = mapped_column(_Key, primary_key=True)
    id: Mapped[str] = mapped_column(_Key, primary_key=True)
    """Without the run id that most begin with."""

    action: Mapped[str] = mapped_column(Text)
    step: Mapped[str | None] = mapped_column(Text)
    step_type: Mapped[str | None] = mapped_column(Text)
    event: Mapped[str | None] = mapped_column(Text)
    # As text, which takes half the room that `jsonb` does.
    input: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    output: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    error: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))


class InboxMixin:
    """One row per message to a run; what was taken stays, without its body, to be known again."""

    __tablename__: str

    id: Mapped[str] = mapped_column(_Key, primary_key=True)
    run_id: Mapped[str] = mapped_column(_Key)
    dedup_key: Mapped[str] = mapped_column(_Key)
    sequence: Mapped[int] = mapped_column(BigInteger, Identity(always=True))
    """The order of arrival."""

    body: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    """None once the message was taken or withdrawn."""

    not_before: Mapped[datetime | None] = mapped_column(_Moment)
    step: Mapped[str | None] = mapped_column(Text)
    """Whose outcome it is."""

    attempt: Mapped[int | None] = mapped_column(Integer)
    is_seen: Mapped[bool] = mapped_column(Boolean, server_default=text("false"))
    """Whether a commit has left it for later."""

    @declared_attr.directive
    def __table_args__(cls) -> tuple[Any, ...]:  # noqa: N805  # SQLAlchemy hands it the class
        name = cls.__tablename__
        return (
            UniqueConstraint("run_id", "dedup_key", name=conv(f"{name}_dedup_key_key")),
            Index(
                f"{name}_unseen_idx",
                "run_id",
                postgresql_where=text("body IS NOT NULL AND NOT is_seen"),
            ),
        )


def comment(version: int) -> str:
    """Return the comment of the instances' table, which says the version of the schema."""
    return f"hephaestus schema {version}"

"""An application with models of its own, among which are those of its workflows."""

from typing import Any, ClassVar

from sqlalchemy import BigInteger, ForeignKey, MetaData, String
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from hephaestus_postgres.models import EntryMixin, InboxMixin, InstanceMixin


class Base(DeclarativeBase):
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_label)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
        }
    )
    type_annotation_map: ClassVar[dict[Any, Any]] = {int: BigInteger, str: String(50)}


class Order(Base):
    __tablename__ = "orders"

    number: Mapped[int] = mapped_column(primary_key=True)
    customer: Mapped[str]


class Run(InstanceMixin, Base):
    __tablename__ = "order_runs"

    order_number: Mapped[int | None] = mapped_column(ForeignKey(Order.number))
    """A column of the application's own."""


class Line(EntryMixin, Base):
    __tablename__ = "order_run_lines"


class Letter(InboxMixin, Base):
    __tablename__ = "order_run_letters"

"""What the tables have in common: schema, names of constraints, kinds of columns."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Column, DateTime, ForeignKey, MetaData, Text, Uuid
from sqlalchemy.dialects.postgresql import JSONB

SCHEMA = "hydroml"

metadata = MetaData(
    schema=SCHEMA,
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    },
)


def key() -> Column[UUID]:
    """The primary key of an aggregate; the application makes the ids."""
    return Column("id", Uuid, primary_key=True)


def uuid(name: str, *, nullable: bool = False) -> Column[UUID]:
    """An id of something that is not ours (a user), or that may be gone without harm."""
    return Column(name, Uuid, nullable=nullable)


def reference(
    name: str, to: str, on_delete: str | None, *, nullable: bool = False, primary_key: bool = False
) -> Column[UUID]:
    """An id of a row in the table `to`."""
    return Column(
        name, Uuid, ForeignKey(f"{SCHEMA}.{to}.id", ondelete=on_delete), nullable=nullable, primary_key=primary_key
    )


def text(name: str, *, nullable: bool = False) -> Column[str]:
    return Column(name, Text, nullable=nullable)


def moment(name: str, *, nullable: bool = False) -> Column[datetime]:
    return Column(name, DateTime(timezone=True), nullable=nullable)


def number(name: str) -> Column[int]:
    return Column(name, BigInteger, nullable=False)


def document(name: str, *, nullable: bool = False) -> Column[Any]:
    """JSON; a missing one is NULL, not JSON's null."""
    return Column(name, JSONB(none_as_null=True), nullable=nullable)

"""The step that replaces the table by what a query gives."""

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from hydroml.domain.errors import InvalidInputError
from hydroml.domain.sources import VersionId
from hydroml.domain.studio.steps.base import Ask, Plain, RowEffect, StepInfo, required_text

QUERY_LENGTH = 20_000
QUERY_TABLES = 50
THIS = "this"
"""What a query calls the table it is put on."""


@dataclass(frozen=True, slots=True)
class QueriedTable:
    """Another table, and what the query calls it."""

    name: str
    version_id: Annotated[VersionId, Ask("version")]


@dataclass(frozen=True, slots=True)
class Query(Plain):
    """The table becomes what a SELECT gives; it reads the table so far as `this`, and others by their names."""

    sql: Annotated[str, Ask("sql", title="Query")]
    tables: Annotated[tuple[QueriedTable, ...], Ask(title="Other tables")] = ()
    op: Literal["query"] = "query"
    info: ClassVar[StepInfo] = StepInfo("SQL query", "Replace the table by what a SELECT over it gives.", "reshape")
    effect: ClassVar[RowEffect] = RowEffect.RELATES

    def __post_init__(self) -> None:
        object.__setattr__(self, "sql", required_text(self.sql, QUERY_LENGTH, "sql"))
        names = [table.name.casefold() for table in self.tables]
        if len(names) > QUERY_TABLES:
            raise InvalidInputError.at("tables", msg=f"at most {QUERY_TABLES} other tables", code="length")
        if len({*names, THIS}) != len(names) + 1:
            raise InvalidInputError.at(
                "tables", msg="each table has a name of its own, none is “this”", code="duplicate"
            )

    @property
    def others(self) -> tuple[VersionId, ...]:
        return tuple(table.version_id for table in self.tables)

    def summary(self) -> str:
        words = " ".join(self.sql.split())
        return words if len(words) <= 120 else f"{words[:119]}…"

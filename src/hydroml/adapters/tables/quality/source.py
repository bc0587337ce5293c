"""A table opened for inspection."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from hydroml.adapters.tables import sql
from hydroml.adapters.tables.connection import Connection
from hydroml.application.ports.jobs import Monitor
from hydroml.domain.sources import Column

T = TypeVar("T")

SAMPLE_ROWS = 20_000
SAMPLE = "sample"


@dataclass
class Source:
    """The file with its columns; `bounds` collects in words where not all was looked at."""

    connection: Connection
    file: Path
    columns: Sequence[Column]
    rows: int
    monitor: Monitor
    bounds: list[str] = field(default_factory=list)

    @property
    def relation(self) -> str:
        """The rows, with their position in `sql.ROW`."""
        names = sql.names(column.name for column in self.columns)
        return (
            f"(SELECT file_row_number AS {sql.name(sql.ROW)}, {names}"
            f" FROM read_parquet({sql.path(self.file)}, file_row_number = true))"
        )

    @property
    def sampled(self) -> bool:
        """Whether the sample is a part of the table only."""
        return self.rows > SAMPLE_ROWS

    def query(self, query: str) -> list[tuple[Any, ...]]:
        self.monitor.report()  # raises once somebody asked to cancel
        with self.connection.monitored(self.monitor.part(0.5, 0.5)):
            return self.connection.rows(query)

    def arrays(self, query: str) -> dict[str, Any]:
        self.monitor.report()
        with self.connection.monitored(self.monitor.part(0.5, 0.5)):
            return self.connection.arrays(query)

    def draw_sample(self) -> None:
        """Keeps about `SAMPLE_ROWS` rows, chosen by a hash of their position: the same ones every time."""
        step = -(-self.rows // SAMPLE_ROWS) if self.sampled else 1
        where = f" WHERE hash({sql.name(sql.ROW)}) % {step} = 0" if step > 1 else ""
        self.connection.run(f"CREATE TEMP TABLE {SAMPLE} AS SELECT * FROM {self.relation}{where}")
        if step > 1:
            count = self.connection.row(f"SELECT count(*) FROM {SAMPLE}")[0]
            self.bounds.append(
                f"Quartiles, associations and the search for columns that others determine used {count:,} of"
                f" {self.rows:,} rows; what was found that way was then checked on all of them."
            )


def batches(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    for at in range(0, len(items), size):
        yield items[at : at + size]

"""Row files: tables laid out so that any hundred rows are read in a few milliseconds, wherever they lie.

Parquet has to unpack 51,200 rows to give one. A row file is the same table as an uncompressed Arrow file that is mapped
into memory: four times as large, and made when a table is sorted for the first time. It holds nothing that the Parquet
file does not, so it may go at any time.
"""

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from pathlib import Path
from threading import Lock

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import ipc

from hydroml.adapters.tables import sql
from hydroml.adapters.tables.connection import Connection
from hydroml.domain.errors import TooLargeError

ENDING = ".arrow"
WORTH_ROWS = 100_000
"""A smaller table is unpacked as fast."""
_BATCH_ROWS = 51_200
_OPEN = 16


class RowFile:
    """The rows of a table, each with its position as `sql.ROW`."""

    def __init__(self, file: Path) -> None:
        reader = ipc.open_file(pa.memory_map(str(file)))
        self._batches = [reader.get_batch(at) for at in range(reader.num_record_batches)]
        self._starts = np.cumsum([0, *(batch.num_rows for batch in self._batches)])
        self.table = pa.Table.from_batches(self._batches, reader.schema)

    def at(self, positions: NDArray[np.int64], columns: Sequence[str]) -> pa.Table:
        """The rows at these positions, in their order, with these columns."""
        names = [sql.ROW, *columns]
        owners = np.searchsorted(self._starts, positions, side="right") - 1
        runs = np.flatnonzero((np.diff(positions) != 1) | (np.diff(owners) != 0)) + 1
        pieces = []
        for run in np.split(np.arange(len(positions)), runs) if len(positions) else ():
            owner = int(owners[run[0]])
            start = int(positions[run[0]] - self._starts[owner])
            pieces.append(self._batches[owner].select(names).slice(start, len(run)))
        schema = pa.schema([self.table.schema.field(name) for name in names])
        return pa.Table.from_batches(pieces, schema).combine_chunks()

    def some(self, places: int, rows: int) -> pa.Table:
        """Rows from so many places, spread over all of them."""
        step = max(self.table.num_rows - rows, 0) // max(places - 1, 1)
        return pa.concat_tables(self.table.slice(at * step, rows) for at in range(places))


class RowFiles:
    """Those in use stay open."""

    def __init__(self) -> None:
        self._open: OrderedDict[Path, RowFile] = OrderedDict()
        self._lock = Lock()

    def opened(self, file: Path) -> RowFile:
        with self._lock:
            found = self._open.get(file)
            if found is not None:
                self._open.move_to_end(file)
                return found
        found = RowFile(file)
        with self._lock:
            self._open[file] = found
            if len(self._open) > _OPEN:
                self._open.popitem(last=False)
        return found


def source(name: str, columns: Iterable[str]) -> str:
    """A query's source over rows of a row file that are there under `name`."""
    row = sql.name(sql.ROW)
    return f"SELECT {', '.join((f'{row}::BIGINT AS {row}', *(sql.name(column) for column in columns)))} FROM {name}"


def write(connection: Connection, select: str, out: Path, most: int) -> None:
    """`select` gives the rows in their order, with `sql.ROW`. Raises TooLargeError when they take more than `most`
    bytes."""
    with (
        connection.batches(select, _BATCH_ROWS) as reader,
        out.open("wb") as sink,
        ipc.new_file(sink, reader.schema) as writer,
    ):
        for batch in reader:
            writer.write_batch(batch)
            if sink.tell() > most:
                raise TooLargeError("the table is too large to be laid out for sorting")

"""A view resolved: which file it is read from, by which plan, and which rows of the file it shows in which order."""

import re
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from hydroml.adapters.tables import rowfiles, sql
from hydroml.adapters.tables.background import Background
from hydroml.adapters.tables.builder import Plan, Types, condition
from hydroml.adapters.tables.cache import FileCache
from hydroml.adapters.tables.compiler import compile_recipe, must_be_learnt
from hydroml.adapters.tables.connection import INTERACTIVE_SECONDS, Connection, Connections
from hydroml.adapters.tables.formulas import used_columns
from hydroml.adapters.tables.rowfiles import RowFile, RowFiles
from hydroml.adapters.tables.writing import GROUP_ROWS, write
from hydroml.application.ports.storage import BlobStore
from hydroml.application.ports.tables import View
from hydroml.domain.errors import Fault, InvalidInputError, TooLargeError
from hydroml.domain.sources import Column, Table
from hydroml.domain.studio.recipes import Recipe
from hydroml.domain.studio.steps import RowEffect, SortKey

_PLANS = 1_024
_COMPUTING_SECONDS = 600.0
_BATCH = 1_000_000
_LOOKED_AT_FROM = 500_000
_PLACES = 4
"""In so many places of the file is looked for a bound on the first rows of an order."""
_LAID_OUT, _SOME = "rows_laid_out", "some_rows"
_ORDER = re.compile(r"(?P<key>.+) (?P<way>ASC|DESC) NULLS LAST", re.DOTALL)

Source = Callable[[Collection[str]], str]
"""A SELECT of all rows, with their positions and at least the columns that are named."""
Positions = NDArray[np.uint32]
POSITIONS = ".u32"
"""Bare numbers: a .npy file's header is read by `ast.literal_eval`, which CPython 3.11 cannot do in two threads at once
("AST constructor recursion depth mismatch")."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A recipe over a Parquet file: `identity` names the file's content, `rows` its row count."""

    identity: str
    file: Path
    columns: tuple[Column, ...]
    rows: int
    recipe: Recipe
    plan: Plan

    def needed(self, only: Collection[str] | None) -> tuple[Column, ...]:
        """The file's columns that a query names for `only` these of the plan. Where there are no steps it is they
        alone: to plan a query over thousands of columns takes longer than to run it."""
        if only is None or self.plan.stages:
            return self.columns
        return tuple(column for column in self.columns if column.name in only)

    def source(self, where: str = "", only: Collection[str] | None = None) -> str:
        """The file's rows with their positions."""
        return source(self.file, self.needed(only), where)

    @property
    def selects(self) -> bool:
        return any(entry.step.effect is RowEffect.SELECTS for entry in self.recipe)

    @property
    def whole(self) -> bool:
        """Whether the recipe's rows are the file's rows, in its order."""
        return not self.selects and not self.plan.reorders


def source(file: Path, columns: Sequence[Column], where: str = "") -> str:
    return (
        f"SELECT {', '.join((f'file_row_number AS {sql.name(sql.ROW)}', *(sql.name(c.name) for c in columns)))}"
        f" FROM read_parquet({sql.path(file)}, file_row_number = true){f' WHERE {where}' if where else ''}"
    )


class Views:
    def __init__(self, connections: Connections, blobs: BlobStore, cache: FileCache, background: Background) -> None:
        self._connections = connections
        self._blobs = blobs
        self._cache = cache
        self._background = background
        self._row_files = RowFiles()
        self._too_large: set[str] = set()
        self.types = Types(connections)
        self._plans: OrderedDict[tuple[tuple[Column, ...], str], Plan | InvalidInputError] = OrderedDict()
        self._lock = Lock()

    def plan(self, columns: Sequence[Column], recipe: Recipe) -> Plan:
        """Raises InvalidInputError with the place of the fault. Refusals are kept too: a page of a session asks for
        every step that cannot run."""
        key = (tuple(columns), repr(recipe))
        with self._lock:
            found = self._plans.get(key)
            before = self._plans.get((key[0], repr(recipe[:-1]))) if found is None and recipe else None
        if found is None:
            try:
                found = compile_recipe(self.types, columns, recipe, before if isinstance(before, Plan) else None)
            except InvalidInputError as error:
                found = error
            with self._lock:
                self._plans[key] = found
                if len(self._plans) > _PLANS:
                    self._plans.popitem(last=False)
        if isinstance(found, InvalidInputError):
            raise InvalidInputError(str(found), found.faults)
        return found

    @contextmanager
    def opened(self, table: Table, recipe: Recipe, *, patient: bool = False) -> Iterator[Opened]:
        """The table with its recipe, ready to be read.

        A step that relates rows to each other cannot run on a part of them: the table as of the last such step is
        written to the cache once, and the steps after it run on that. A `patient` asker waits as long as it takes.
        """
        must_be_learnt(recipe)
        self.plan(table.columns, recipe)  # faults are found before any work is done
        with self._blobs.local(table.blob) as file:
            last = max((at for at, e in enumerate(recipe) if e.step.effect is RowEffect.RELATES), default=-1)
            if last < 0:
                plan = self.plan(table.columns, recipe)
                yield Opened(table.blob, file, table.columns, table.rows, recipe, plan)
                return
            before, after = recipe[: last + 1], recipe[last + 1 :]
            question = f"table\n{table.blob}\n{before!r}"
            made = self._cache.file(
                question, ".parquet", lambda out: self._checkpoint(file, table, before, out, patient=patient)
            )
            columns = self.plan(table.columns, before).columns
            with self._connections.reading(made) as connection:
                rows = connection.row(f"SELECT sum(num_rows)::BIGINT FROM parquet_file_metadata({sql.path(made)})")[0]
            yield Opened(question, made, columns, int(rows or 0), after, self.plan(columns, after))

    def positions(self, opened: Opened, view: View) -> Positions | None:
        """Positions in the file of the view's rows, in its order; None when they are all rows in the file's order."""
        if opened.whole and view.filter is None and not view.sort:
            return None

        def make(out: Path) -> None:
            with (
                self._connections.reading(opened.file, seconds=_COMPUTING_SECONDS) as connection,
                self._source(connection, opened, view) as source,
            ):
                _write_positions(connection, self._positions_query(opened, view, source), out)

        return _positions(self._cache.file(identity(opened, view), POSITIONS, make))

    def known_positions(self, opened: Opened, view: View) -> Positions | None:
        """Those, where they have been looked for before."""
        file = self._cache.found(identity(opened, view), POSITIONS)
        return None if file is None else _positions(file)

    def kept(self, opened: Opened, question: str, query: Callable[[], str]) -> Positions:
        """The positions that answer a question, by a query for the column `position` when they are not there yet."""

        def make(out: Path) -> None:
            with self._connections.reading(opened.file, seconds=_COMPUTING_SECONDS) as connection:
                _write_positions(connection, query(), out)

        return _positions(self._cache.file(question, POSITIONS, make))

    def keeps(self, question: str) -> bool:
        return self._cache.found(question, POSITIONS) is not None

    def first_positions(self, connection: Connection, opened: Opened, view: View, count: int) -> Positions:
        """The first of them, found much sooner than all: in the file's order the search ends with the last one, in
        another nothing is sorted that cannot be among them."""
        with self._source(connection, opened, view) as source:
            beyond = self._bound(connection, opened, view, count)
            query = self._positions_query(opened, view, source, limit=count, beyond=beyond)
            return np.asarray(connection.arrays(query)["position"], dtype=np.uint32)

    def count(self, connection: Connection, opened: Opened, view: View) -> int:
        """How many rows the view has."""
        if not opened.selects and view.filter is None:
            return opened.rows
        known = self.known_positions(opened, view)
        if known is not None:
            return len(known)
        where, read = self._filter(opened.plan, view)
        query = opened.plan.query(opened.source(only=read), f"SELECT count(*) FROM {opened.plan.last}{where}")
        return int(connection.row(query)[0])

    def row_file(self, opened: Opened) -> RowFile | None:
        """The table laid out for reading rows from anywhere, if it is."""
        file = self._cache.found(_laid_out(opened), rowfiles.ENDING)
        return None if file is None else self._row_files.opened(file)

    def prepare(self, view: View) -> None:
        """In the background, what other pages of the view will need: the positions of all its rows, and the table laid
        out for reading rows from anywhere."""
        with self.opened(view.table, view.recipe) as opened:
            if opened.rows <= rowfiles.WORTH_ROWS:
                return
            if self._cache.found(identity(opened, view), POSITIONS) is None:
                self._background.put(identity(opened, view), lambda: self._find_positions(view))
            place = _laid_out(opened)
            if place not in self._too_large and self._cache.found(place, rowfiles.ENDING) is None:
                self._background.put(place, lambda: self._lay_out(view))

    def _find_positions(self, view: View) -> None:
        def make(out: Path) -> None:
            with (
                self._connections.fresh(opened.file, self._cache.folder, threads=1, shared_by=2) as connection,
                self._source(connection, opened, view) as source,
            ):
                _write_positions(connection, self._positions_query(opened, view, source), out)

        with self.opened(view.table, view.recipe) as opened:
            self._cache.file(identity(opened, view), POSITIONS, make)

    def _lay_out(self, view: View) -> None:
        def make(out: Path) -> None:
            # In one thread, the rows come as they lie in the file.
            with self._connections.fresh(opened.file, self._cache.folder, threads=1, shared_by=2) as connection:
                cells = sql.names(column.name for column in opened.columns)
                select = (
                    f"SELECT {sql.name(sql.ROW)}::UINTEGER AS {sql.name(sql.ROW)}, {cells} FROM ({opened.source()})"
                )
                rowfiles.write(connection, select, out, self._cache.limit // 2)

        with self.opened(view.table, view.recipe) as opened:
            try:
                self._cache.file(_laid_out(opened), rowfiles.ENDING, make)
            except TooLargeError:
                self._too_large.add(_laid_out(opened))
                raise

    def _filter(self, plan: Plan, view: View) -> tuple[str, set[str]]:
        """The view's filter as WHERE, and the columns it reads."""
        if view.filter is None:
            return "", set()
        where = f" WHERE ({condition(self.types, plan.columns, view.filter, 'filter')})"
        return where, {column.name for column in used_columns(view.filter, plan.columns)}

    @contextmanager
    def _source(self, connection: Connection, opened: Opened, view: View) -> Iterator[Source]:
        """What positions are looked for in. To sort, the laid out rows are best: nothing has to be unpacked. To filter,
        the Parquet file is: it knows where nothing is to be found."""
        found = self.row_file(opened) if view.sort or opened.plan.reorders else None
        if found is None:
            yield lambda only: opened.source(only=only)
        else:
            with connection.seeing(_LAID_OUT, found.table):
                yield lambda only: rowfiles.source(_LAID_OUT, (c.name for c in opened.needed(only)))

    def _positions_query(
        self, opened: Opened, view: View, source: Source, *, limit: int | None = None, beyond: str = ""
    ) -> str:
        """`beyond` is a condition that the first `limit` rows fulfil."""
        plan = opened.plan
        where, read = self._filter(plan, view)
        if beyond:
            where = f"{where} AND {beyond}" if where else f" WHERE {beyond}"
        order = [*sort_terms(view.sort, plan.columns), *plan.order]
        # Without a sort the rows come as they lie in the file.
        ordered = f" ORDER BY {', '.join(order)}" if len(order) > 1 else ""
        limited = f" LIMIT {limit}" if limit is not None else ""
        return plan.query(
            source(read | {key.column for key in view.sort}),
            f"SELECT {sql.name(sql.ROW)}::UINTEGER AS position FROM {plan.last}{where}{ordered}{limited}",
        )

    def _bound(self, connection: Connection, opened: Opened, view: View, count: int) -> str:
        """A condition on the first key that the first `count` rows of the view fulfil and few others: the key of the
        last of the first ones among the rows in some places of the file. Empty where there is none."""
        plan = opened.plan
        first = [*sort_terms(view.sort, plan.columns), *plan.order][0]
        parts = _ORDER.fullmatch(first)
        if parts is None or opened.rows < _LOOKED_AT_FROM or not count:
            return ""
        where, read = self._filter(plan, view)
        only = read | {key.column for key in view.sort}
        key = parts["key"]
        select = (
            f"SELECT {key}::VARCHAR, typeof({key}) FROM {plan.last}{where} ORDER BY {first} LIMIT 1 OFFSET {count - 1}"
        )
        laid_out = self.row_file(opened)
        if laid_out is not None:
            with connection.seeing(_SOME, laid_out.some(_PLACES, GROUP_ROWS)):
                source = rowfiles.source(_SOME, (column.name for column in opened.needed(only)))
                found = connection.rows(plan.query(source, select))
        else:
            step = (opened.rows - GROUP_ROWS) // (_PLACES - 1)
            # One range after the other: over several at once DuckDB would read every row group.
            source = " UNION ALL ".join(
                opened.source(f"file_row_number BETWEEN {at * step} AND {at * step + GROUP_ROWS - 1}", only)
                for at in range(_PLACES)
            )
            found = connection.rows(plan.query(source, select))
        if not found or found[0][0] is None:
            return ""
        return f"{key} {'<=' if parts['way'] == 'ASC' else '>='} {sql.text(found[0][0])}::{found[0][1]}"

    def connection(self, opened: Opened, *, patient: bool = False) -> AbstractContextManager[Connection]:
        """A patient one takes as long as it takes: nobody waits for its answer."""
        return self._connections.reading(opened.file, seconds=None if patient else INTERACTIVE_SECONDS)

    def _checkpoint(self, file: Path, table: Table, recipe: Recipe, out: Path, *, patient: bool) -> None:
        plan = self.plan(table.columns, recipe)
        opened = Opened(table.blob, file, table.columns, table.rows, recipe, plan)
        with self.inputs(plan) as others:
            paths = (file, self._cache.folder, *others)
            with self._connections.fresh(*paths, seconds=None if patient else _COMPUTING_SECONDS) as connection:
                materialise(connection, opened, others, out)

    @contextmanager
    def inputs(self, plan: Plan) -> Iterator[tuple[Path, ...]]:
        """The files of the other tables that a plan reads."""
        with ExitStack() as stack:
            yield tuple(stack.enter_context(self._blobs.local(table.blob)) for table in plan.inputs)


def materialise(connection: Connection, opened: Opened, others: Sequence[Path], out: Path) -> None:
    """The recipe over the whole file into Parquet, in the recipe's order of rows."""
    plan = opened.plan
    relates = any(entry.step.effect is RowEffect.RELATES for entry in opened.recipe)
    order = f" ORDER BY {', '.join(plan.order)}" if plan.reorders or relates else ""
    select = f"SELECT {sql.names(c.name for c in plan.columns)} FROM {plan.last}{order}"
    inputs = [source(file, table.columns) for file, table in zip(others, plan.inputs, strict=True)]
    write(connection, plan.query(opened.source(), select, inputs), len(plan.columns), out)


def identity(opened: Opened, view: View) -> str:
    """What tells the view's rows and their order from those of others."""
    return f"positions\n{opened.identity}\n{opened.recipe!r}\n{view.filter!r}\n{view.sort!r}"


def _laid_out(opened: Opened) -> str:
    return f"rows\n{opened.identity}"


def _write_positions(connection: Connection, query: str, out: Path) -> None:
    with connection.batches(query, _BATCH) as found, out.open("wb") as file:
        for batch in found:
            batch.column(0).to_numpy().tofile(file)


def _positions(file: Path) -> Positions:
    if file.stat().st_size == 0:
        return np.empty(0, dtype=np.uint32)  # nothing cannot be mapped into memory
    return np.memmap(file, dtype=np.uint32, mode="r")


def sort_terms(keys: Sequence[SortKey], columns: Sequence[Column]) -> list[str]:
    known = {column.name for column in columns}
    for at, key in enumerate(keys):
        if key.column not in known:
            raise InvalidInputError.at(
                "sort", at, "column", msg=f"there is no column “{key.column[:100]}”", code="unknown_column"
            )
    return [f"{sql.name(key.column)} {'DESC' if key.descending else 'ASC'} NULLS LAST" for key in keys]


def shown_columns(view: View, columns: Sequence[Column]) -> tuple[Column, ...]:
    """The columns the view asks for, in its order."""
    if view.columns is None:
        return tuple(columns)
    by_name = {column.name: column for column in columns}
    faults = tuple(
        Fault(("columns", at), f"there is no column “{name[:100]}”", "unknown_column")
        for at, name in enumerate(view.columns)
        if name not in by_name
    )
    if faults:
        raise InvalidInputError(faults[0].msg, faults)
    return tuple(by_name[name] for name in dict.fromkeys(view.columns))


def without_grid(view: View) -> View:
    """The table the recipe gives, without the grid's filter and order."""
    return replace(view, filter=None, sort=(), columns=None)

"""A view resolved: which file it is read from, by which plan, and which rows of the file it shows in which order."""

from collections import OrderedDict
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from hydroml.adapters.tables import sql
from hydroml.adapters.tables.builder import Plan, Types, condition
from hydroml.adapters.tables.cache import FileCache
from hydroml.adapters.tables.compiler import compile_recipe, must_be_learnt
from hydroml.adapters.tables.connection import INTERACTIVE_SECONDS, Connection, Connections
from hydroml.adapters.tables.formulas import used_columns
from hydroml.adapters.tables.writing import write
from hydroml.application.ports.storage import BlobStore
from hydroml.application.ports.tables import View
from hydroml.domain.errors import Fault, InvalidInputError
from hydroml.domain.sources import Column, Table
from hydroml.domain.studio.recipes import Recipe
from hydroml.domain.studio.steps import RowEffect, SortKey

_PLANS = 1_024
_COMPUTING_SECONDS = 600.0

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

    def source(self, where: str = "", only: Collection[str] | None = None) -> str:
        """The file's rows with their positions. Where there are no steps, `only` these columns are named: to plan a
        query over thousands of them takes longer than to run it."""
        columns = self.columns
        if only is not None and not self.plan.stages:
            columns = tuple(column for column in columns if column.name in only)
        return source(self.file, columns, where)

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
    def __init__(self, connections: Connections, blobs: BlobStore, cache: FileCache) -> None:
        self._connections = connections
        self._blobs = blobs
        self._cache = cache
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
    def opened(self, table: Table, recipe: Recipe) -> Iterator[Opened]:
        """The table with its recipe, ready to be read.

        A step that relates rows to each other cannot run on a part of them: the table as of the last such step is
        written to the cache once, and the steps after it run on that.
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
            made = self._cache.file(question, ".parquet", lambda out: self._checkpoint(file, table, before, out))
            columns = self.plan(table.columns, before).columns
            with self._connections.reading(made) as connection:
                rows = connection.row(f"SELECT sum(num_rows)::BIGINT FROM parquet_file_metadata({sql.path(made)})")[0]
            yield Opened(question, made, columns, int(rows or 0), after, self.plan(columns, after))

    def positions(self, opened: Opened, view: View) -> Positions | None:
        """Positions in the file of the view's rows, in its order; None when they are all rows in the file's order."""
        if opened.whole and view.filter is None and not view.sort:
            return None
        return self.kept(opened, positions_question(opened, view), lambda: self.positions_query(opened, view))

    def known_positions(self, opened: Opened, view: View) -> bool:
        return self.keeps(positions_question(opened, view))

    def kept(self, opened: Opened, question: str, query: Callable[[], str]) -> Positions:
        """The positions that answer a question, by a query for the column `position` when they are not there yet."""

        def make(out: Path) -> None:
            with self._connections.reading(opened.file, seconds=_COMPUTING_SECONDS) as connection:
                found = connection.arrays(query())["position"]
            np.asarray(found, dtype=np.uint32).tofile(out)

        return self.loaded(self._cache.file(question, POSITIONS, make))

    def keeps(self, question: str) -> bool:
        return self._cache.holds(question, POSITIONS)

    def positions_query(self, opened: Opened, view: View, limit: int | None = None) -> str:
        plan = opened.plan
        where = ""
        read = {key.column for key in view.sort}
        if view.filter is not None:
            where = f" WHERE {condition(self.types, plan.columns, view.filter, 'filter')}"
            read |= {column.name for column in used_columns(view.filter, plan.columns)}
        order = [*sort_terms(view.sort, plan.columns), *plan.order]
        # Without a sort the rows come as they lie in the file.
        ordered = f" ORDER BY {', '.join(order)}" if len(order) > 1 else ""
        limited = f" LIMIT {limit}" if limit is not None else ""
        return plan.query(
            opened.source(only=read),
            f"SELECT {sql.name(sql.ROW)}::UINTEGER AS position FROM {plan.last}{where}{ordered}{limited}",
        )

    def connection(self, opened: Opened, *, patient: bool = False) -> AbstractContextManager[Connection]:
        """A patient one takes as long as it takes: nobody waits for its answer."""
        return self._connections.reading(opened.file, seconds=None if patient else INTERACTIVE_SECONDS)

    @staticmethod
    def loaded(file: Path) -> Positions:
        if file.stat().st_size == 0:
            return np.empty(0, dtype=np.uint32)  # nothing cannot be mapped into memory
        return np.memmap(file, dtype=np.uint32, mode="r")

    def _checkpoint(self, file: Path, table: Table, recipe: Recipe, out: Path) -> None:
        plan = self.plan(table.columns, recipe)
        opened = Opened(table.blob, file, table.columns, table.rows, recipe, plan)
        with self.inputs(plan) as others:
            paths = (file, self._cache.folder, *others)
            with self._connections.fresh(*paths, seconds=_COMPUTING_SECONDS) as connection:
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


def positions_question(opened: Opened, view: View) -> str:
    return f"positions\n{opened.identity}\n{opened.recipe!r}\n{view.filter!r}\n{view.sort!r}"


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

"""A small table engine on SQLite in memory: the twin of the real one, for tests of the services.

It reads CSV with commas and keeps tables as JSON lines: the column names and types first, then a list for each row.
"""

import csv
import json
import math
import sqlite3
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from hydroml.application.ports.jobs import Monitor
from hydroml.application.ports.storage import BlobStore
from hydroml.application.ports.tables import (
    ColumnProfile,
    FunctionInfo,
    Profile,
    StepPreview,
    TablePage,
    View,
    WrittenTable,
)
from hydroml.domain.errors import InvalidInputError
from hydroml.domain.experiments.specification import TargetSummary
from hydroml.domain.sources import Column, ColumnType, Detection, ImportOptions, Table, UnreadableFileError
from hydroml.domain.studio.recipes import Recipe, RecipeStep, row_local_part
from hydroml.domain.studio.steps import (
    Derive,
    DropColumns,
    FillMethod,
    FillMissing,
    Filter,
    Fitted,
    Sort,
    SortKey,
    Step,
)

Rows = list[dict[str, Any]]


class InMemoryTableEngine:
    def __init__(self, blobs: BlobStore) -> None:
        self._blobs = blobs

    def detect(self, file: Path, filename: str, options: ImportOptions) -> Detection:
        columns, rows = _read_csv(file)
        return Detection("csv", replace(options, delimiter=","), columns, tuple(tuple(r.values()) for r in rows[:20]))

    def import_file(
        self, file: Path, filename: str, options: ImportOptions, out: Path, monitor: Monitor
    ) -> WrittenTable:
        columns, rows = _read_csv(file)
        monitor.report(0.5, "reading")
        return _write(out, columns, rows)

    def schema(self, table: Table, recipe: Recipe) -> tuple[Column, ...]:
        return self._run(table, recipe)[0]

    def fit(self, table: Table, recipe: Recipe, step: Step) -> Fitted:
        if not isinstance(step, FillMissing) or not step.method.learns:
            return {}
        _, rows = self._run(table, recipe)
        return {"values": {name: _learn(step.method, name, rows) for name in step.columns}}

    def page(self, view: View, offset: int, limit: int, *, total: bool = True) -> TablePage:
        columns, rows = self._run(view.table, view.recipe)
        rows = [row | {_NUMBER: number} for number, row in enumerate(rows, start=1)]
        if view.filter is not None:
            rows = _filtered(columns, rows, view.filter, "filter")
        if view.sort:
            rows = _sorted(columns, rows, view.sort)
        shown = columns if view.columns is None else tuple(_column(columns, n, "columns") for n in view.columns)
        part = rows[offset : offset + limit]
        reorders = any(isinstance(entry.step, Sort) for entry in view.recipe)
        return TablePage(
            columns=shown,
            rows=tuple(tuple(row[c.name] for c in shown) for row in part),
            row_numbers=None if reorders else tuple(row[_NUMBER] for row in part),
            total=len(rows) if total else None,
            elapsed_ms=0.0,
        )

    def profile(self, view: View) -> Profile:
        columns, rows = self._run(view.table, view.recipe)
        if view.filter is not None:
            rows = _filtered(columns, rows, view.filter, "filter")
        return Profile(
            len(rows), tuple(_profile(column, rows) for column in columns), approximate=False, elapsed_ms=0.0
        )

    def preview(self, table: Table, recipe: Recipe, step: Step) -> StepPreview:
        before, rows_before = self._run(table, recipe)
        after_recipe = (*recipe, RecipeStep(step, self.fit(table, recipe, step)))
        after, rows_after = self._run(table, after_recipe)
        names_before, names_after = [c.name for c in before], [c.name for c in after]
        changed: Counter[str] = Counter()
        if len(rows_before) == len(rows_after):
            for old, new in zip(rows_before, rows_after, strict=True):
                changed.update(name for name in old.keys() & new.keys() if old[name] != new[name])
        return StepPreview(
            page=self.page(View(table, after_recipe), 0, 100),
            added_columns=tuple(n for n in names_after if n not in names_before),
            removed_columns=tuple(n for n in names_before if n not in names_after),
            rows_before=len(rows_before),
            rows_after=len(rows_after),
            changed_cells=dict(changed),
        )

    def materialise(self, table: Table | Path, recipe: Recipe, out: Path, monitor: Monitor) -> WrittenTable:
        monitor.report(0.5, "computing")
        return _write(out, *self._run(table, recipe))

    def replay(
        self, columns: Sequence[Column], recipe: Recipe, rows: Sequence[Mapping[str, Any]]
    ) -> list[dict[str, Any]]:
        given = [{column.name: row.get(column.name) for column in columns} for row in rows]
        return _apply(tuple(columns), given, row_local_part(recipe))[1]

    def target_summary(self, table: Table, column: str) -> TargetSummary:
        _, rows = self._run(table, ())
        known = Counter(row[column] for row in rows if row[column] is not None)
        return TargetSummary(len(rows), len(rows) - known.total(), len(known), min(known.values(), default=0))

    def python(self, recipe: Recipe, columns: Sequence[Column], filename: str) -> str:
        return "\n".join([f"# {filename}", *(f"# {entry.step.summary()}" for entry in recipe)])

    def describe(self, file: Path) -> WrittenTable:
        columns, rows = _load(file)
        return WrittenTable(columns, len(rows))

    def export(self, file: Path, out: Path) -> None:
        if out.suffix != ".csv":
            raise InvalidInputError.at("out", msg=f"“{out.suffix}” is not a known format", code="format")
        columns, rows = _load(file)
        with out.open("w", newline="") as stream:
            writer = csv.writer(stream)
            writer.writerow([column.name for column in columns])
            writer.writerows(row.values() for row in rows)

    def functions(self) -> Sequence[FunctionInfo]:
        return (FunctionInfo("abs", "abs(x)", "The size of a number, without its sign."),)

    def _run(self, table: Table | Path, recipe: Recipe) -> tuple[tuple[Column, ...], Rows]:
        if isinstance(table, Path):
            return _apply(*_load(table), recipe)
        with self._blobs.local(table.blob) as file:
            return _apply(*_load(file), recipe)


_NUMBER = "\0number"


def _apply(columns: tuple[Column, ...], rows: Rows, recipe: Recipe) -> tuple[tuple[Column, ...], Rows]:
    for entry in recipe:
        columns, rows = _RULES[type(entry.step)](columns, rows, entry)
    return columns, rows


def _filter(columns: tuple[Column, ...], rows: Rows, entry: RecipeStep) -> tuple[tuple[Column, ...], Rows]:
    assert isinstance(entry.step, Filter)  # noqa: S101 - the rule's own kind
    return columns, _filtered(columns, rows, entry.step.condition, "condition")


def _sort(columns: tuple[Column, ...], rows: Rows, entry: RecipeStep) -> tuple[tuple[Column, ...], Rows]:
    assert isinstance(entry.step, Sort)  # noqa: S101 - the rule's own kind
    return columns, _sorted(columns, rows, entry.step.by)


def _derive(columns: tuple[Column, ...], rows: Rows, entry: RecipeStep) -> tuple[tuple[Column, ...], Rows]:
    assert isinstance(entry.step, Derive)  # noqa: S101 - the rule's own kind
    name = entry.step.column
    values = _evaluate(columns, rows, entry.step.formula, "formula")
    derived = Column(name, _narrowest(values))
    there = [c.name for c in columns]
    columns = tuple(derived if c.name == name else c for c in columns) if name in there else (*columns, derived)
    return columns, [row | {name: value} for row, value in zip(rows, values, strict=True)]


def _drop(columns: tuple[Column, ...], rows: Rows, entry: RecipeStep) -> tuple[tuple[Column, ...], Rows]:
    assert isinstance(entry.step, DropColumns)  # noqa: S101 - the rule's own kind
    gone = {_column(columns, name, "columns").name for name in entry.step.columns}
    if len(gone) == len(columns):
        raise InvalidInputError.at("columns", msg="a table needs at least one column", code="required")
    kept = tuple(c for c in columns if c.name not in gone)
    return kept, [{c.name: row[c.name] for c in kept} for row in rows]


def _fill(columns: tuple[Column, ...], rows: Rows, entry: RecipeStep) -> tuple[tuple[Column, ...], Rows]:
    step = entry.step
    assert isinstance(step, FillMissing)  # noqa: S101 - the rule's own kind
    rows = [dict(row) for row in rows]
    for name in step.columns:
        _column(columns, name, "columns")
        gaps = [row[name] is None for row in rows]
        if step.method in (FillMethod.PREVIOUS, FillMethod.NEXT):
            last = None
            for row in rows if step.method is FillMethod.PREVIOUS else reversed(rows):
                row[name] = last = last if row[name] is None else row[name]
        else:
            value = entry.fitted["values"][name] if step.method.learns else step.value
            for row in rows:
                row[name] = value if row[name] is None else row[name]
        if step.flag:
            flag = step.flag_column(name)
            columns = (*columns, Column(flag, ColumnType.BOOLEAN))
            for row, gap in zip(rows, gaps, strict=True):
                row[flag] = gap
    return tuple(
        Column(c.name, _narrowest([row[c.name] for row in rows])) if c.name in step.columns else c for c in columns
    ), rows


_RULES: Mapping[type[Step], Callable[[tuple[Column, ...], Rows, RecipeStep], tuple[tuple[Column, ...], Rows]]] = {
    Filter: _filter,
    Sort: _sort,
    Derive: _derive,
    DropColumns: _drop,
    FillMissing: _fill,
}


def _column(columns: tuple[Column, ...], name: str, place: str) -> Column:
    for column in columns:
        if column.name == name:
            return column
    raise InvalidInputError.at(place, msg=f"there is no column “{name}”", code="unknown_column")


def _filtered(columns: tuple[Column, ...], rows: Rows, condition: str, place: str) -> Rows:
    values = _evaluate(columns, rows, condition, place)
    return [row for row, value in zip(rows, values, strict=True) if value]


def _sorted(columns: tuple[Column, ...], rows: Rows, keys: Sequence[SortKey]) -> Rows:
    for key in reversed(keys):
        name = _column(columns, key.column, "by").name
        known = [row for row in rows if row[name] is not None]
        known.sort(key=lambda row: row[name], reverse=key.descending)
        rows = known + [row for row in rows if row[name] is None]
    return rows


def _evaluate(columns: tuple[Column, ...], rows: Rows, formula: str, place: str) -> list[Any]:
    if "select" in formula.lower():
        raise InvalidInputError.at(place, msg="a formula cannot hold a query", code="formula")
    connection = sqlite3.connect(":memory:")
    connection.create_function("ln", 1, lambda x: math.log(x) if x and x > 0 else None)
    names = [f'"{column.name.replace(chr(34), chr(34) * 2)}"' for column in columns]
    try:
        connection.execute(f"CREATE TABLE t ({', '.join(names)})")
        marks = ", ".join("?" * len(names))
        connection.executemany(f"INSERT INTO t VALUES ({marks})", [[row[c.name] for c in columns] for row in rows])  # noqa: S608
        connection.set_authorizer(_only_reading_t)
        return [value for (value,) in connection.execute(f"SELECT {formula} FROM t")]  # noqa: S608 - guarded above
    except sqlite3.Error as error:
        raise InvalidInputError.at(place, msg=str(error), code="formula") from None
    finally:
        connection.close()


def _only_reading_t(action: int, first: str | None, *_: str | None) -> int:
    allowed = (sqlite3.SQLITE_SELECT, sqlite3.SQLITE_FUNCTION)
    fine = action in allowed or (action == sqlite3.SQLITE_READ and first == "t")
    return sqlite3.SQLITE_OK if fine else sqlite3.SQLITE_DENY


def _learn(method: FillMethod, name: str, rows: Rows) -> Any:
    values = sorted(row[name] for row in rows if row[name] is not None)
    if not values:
        return None
    if method is FillMethod.MEAN:
        return sum(values) / len(values)
    if method is FillMethod.MEDIAN:
        half = len(values) // 2
        return values[half] if len(values) % 2 else (values[half - 1] + values[half]) / 2
    return Counter(values).most_common(1)[0][0]


def _profile(column: Column, rows: Rows) -> ColumnProfile:
    values = [row[column.name] for row in rows if row[column.name] is not None]
    numbers = values if column.type.is_numeric else []
    return ColumnProfile(
        name=column.name,
        type=column.type,
        missing=len(rows) - len(values),
        distinct=len(set(values)),
        minimum=min(values, default=None),
        maximum=max(values, default=None),
        mean=sum(numbers) / len(numbers) if numbers else None,
        top=None if numbers else tuple(Counter(values).most_common(10)),
    )


def _read_csv(file: Path) -> tuple[tuple[Column, ...], Rows]:
    try:
        lines = list(csv.reader(file.read_text().splitlines()))
    except (UnicodeDecodeError, csv.Error):
        raise UnreadableFileError("this is not a text file") from None
    if not lines:
        raise UnreadableFileError("the file is empty")
    header, *cells = lines
    for number, row in enumerate(cells, start=2):
        if len(row) != len(header):
            raise UnreadableFileError(f"line {number} has {len(row)} cells, the header {len(header)}")
    read = {name: _typed([row[index] for row in cells]) for index, name in enumerate(header)}
    columns = tuple(Column(name, _narrowest(values)) for name, values in read.items())
    return columns, [{name: values[index] for name, values in read.items()} for index in range(len(cells))]


def _typed(cells: list[str]) -> list[Any]:
    known = [cell for cell in cells if cell]
    for read in (int, float):
        try:
            values = [read(cell) for cell in known]
        except ValueError:
            continue
        if all(len(cell) == 1 or cell[0] != "0" or cell[1] == "." for cell in known):
            waiting = iter(values)
            return [next(waiting) if cell else None for cell in cells]
    return [cell or None for cell in cells]


def _narrowest(values: Sequence[Any]) -> ColumnType:
    kinds = {type(value) for value in values if value is not None}
    if kinds <= {bool}:
        return ColumnType.BOOLEAN if kinds else ColumnType.TEXT
    if kinds <= {int}:
        return ColumnType.INTEGER
    return ColumnType.NUMBER if kinds <= {int, float} else ColumnType.TEXT


def _write(out: Path, columns: tuple[Column, ...], rows: Rows) -> WrittenTable:
    with out.open("w") as stream:
        stream.write(json.dumps([[column.name, column.type] for column in columns]) + "\n")
        stream.writelines(json.dumps([row[column.name] for column in columns]) + "\n" for row in rows)
    return WrittenTable(columns, len(rows))


def _load(file: Path) -> tuple[tuple[Column, ...], Rows]:
    header, *lines = file.read_text().splitlines()
    columns = tuple(Column(name, ColumnType(kind)) for name, kind in json.loads(header))
    return columns, [dict(zip([c.name for c in columns], json.loads(line), strict=True)) for line in lines]

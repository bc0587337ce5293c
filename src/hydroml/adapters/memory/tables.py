"""A small table engine on SQLite in memory: the twin of the real one, for tests of the services.

It reads CSV with commas and keeps tables as JSON lines: the column names and types first, then a list for each row.
"""

import csv
import json
import math
import re
import sqlite3
import statistics
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from hydroml.application.ports.jobs import Monitor
from hydroml.application.ports.storage import BlobStore
from hydroml.application.ports.tables import (
    QUANTILES,
    REJECTED_COLUMNS,
    ChartData,
    ColumnProfile,
    Distribution,
    Distributions,
    FormulaKind,
    FunctionInfo,
    IncomingFile,
    MatchReport,
    Profile,
    QueryResult,
    StepPreview,
    TablePage,
    TextHit,
    TextSearch,
    View,
    WrittenTable,
)
from hydroml.domain.charts import Chart
from hydroml.domain.errors import InvalidInputError, UnavailableError
from hydroml.domain.experiments.specification import TargetSummary
from hydroml.domain.exports import ExportFormat, ExportShape, check_cell, check_sheet, guarded
from hydroml.domain.sources import (
    Column,
    ColumnType,
    DetectedColumn,
    DetectedFile,
    Detection,
    ImportOptions,
    Table,
    UnreadableFileError,
)
from hydroml.domain.studio.conditions import SIGNS, Comparison, Group
from hydroml.domain.studio.recipes import Recipe, RecipeStep, row_local_part
from hydroml.domain.studio.steps import (
    Aggregate,
    Derive,
    DropColumns,
    FillMethod,
    FillMissing,
    Filter,
    Fitted,
    Query,
    Sort,
    SortKey,
    Step,
)
from hydroml.domain.studio.steps.statistics import Statistic, Summary

Rows = list[dict[str, Any]]


class InMemoryTableEngine:
    def __init__(self, blobs: BlobStore) -> None:
        self._blobs = blobs

    def detect(self, files: Sequence[IncomingFile], options: ImportOptions) -> Detection:
        columns, rows, rejected = _read_files(files)
        return Detection(
            "csv",
            replace(options, delimiter=","),
            tuple(DetectedColumn(column.name, column.type) for column in columns),
            tuple(tuple(r.values()) for r in rows[:20]),
            tuple(DetectedFile(file.name, file.path.stat().st_size) for file in files),
            rejected=len(rejected),
        )

    def import_files(
        self,
        files: Sequence[IncomingFile],
        options: ImportOptions,
        out: Path,
        rejected: Path,
        monitor: Monitor,
        *,
        onto: Table | None = None,
    ) -> WrittenTable:
        if onto is None:
            columns, rows, others = _read_files(files)
        else:
            with self._blobs.local(onto.blob) as file:
                columns, rows, others = _read_files(files, _load(file))
        monitor.report(0.5, "reading")
        if others:
            _write(rejected, REJECTED_COLUMNS, others)
        return replace(_write(out, columns, rows), rejected=len(others))

    def schema(self, table: Table, recipe: Recipe) -> tuple[Column, ...]:
        return self._run(table, recipe)[0]

    def fit(self, table: Table, recipe: Recipe, step: Step, monitor: Monitor | None = None) -> Fitted:
        if not isinstance(step, FillMissing) or not step.method.learns:
            return {}
        columns, rows = self._run(table, recipe)
        names = [_column(columns, name, "columns").name for name in step.columns]
        return {"values": {name: _learn(step.method, name, rows) for name in names}}

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

    def profile(self, view: View, monitor: Monitor | None = None) -> Profile:
        columns, rows = self._run(view.table, view.recipe)
        if view.filter is not None:
            rows = _filtered(columns, rows, view.filter, "filter")
        shown = columns if view.columns is None else tuple(_column(columns, n, "columns") for n in view.columns)
        return Profile(len(rows), tuple(_profile(column, rows) for column in shown), len(rows), elapsed_ms=0.0)

    def sample_profile(self, view: View) -> Profile:
        return self.profile(View(view.table, columns=view.columns))

    def distributions(self, view: View) -> Distributions:
        columns, rows = self._run(view.table, view.recipe)
        kept = rows if view.filter is None else _filtered(columns, rows, view.filter, "filter")
        shown = columns if view.columns is None else tuple(_column(columns, n, "columns") for n in view.columns)
        return Distributions(len(rows), len(kept), tuple(_distribution(c, rows, kept) for c in shown), elapsed_ms=0.0)

    def find(self, view: View, search: TextSearch) -> TextHit:
        total = self.page(view, 0, 0).total or 0
        page = self.page(view, 0, total)
        names = [column.name for column in page.columns]
        if search.column is not None and search.column not in names:
            raise InvalidInputError.at("column", msg=f"there is no column “{search.column}”", code="unknown_column")
        wanted = search.text.lower()
        cells = [
            (at, column)
            for at, row in enumerate(page.rows)
            for column, value in enumerate(row)
            if value is not None and wanted in str(value).lower()
        ]
        if search.backwards:
            cells.reverse()
        start = None
        if search.after is not None:
            edge = -1 if search.backwards else len(names)
            start = (search.after, edge if search.column is None else names.index(search.column))
        beyond = [cell for cell in cells if start is None or (cell < start if search.backwards else cell > start)]
        position, at = next(iter(beyond or cells), (None, 0))
        column = None if position is None else names[at]
        return TextHit(position, column, len({at for at, _ in cells}), 1.0, done=True, elapsed_ms=0.0)

    def chart(self, view: View, chart: Chart) -> ChartData:
        raise UnavailableError("the engine in memory draws no charts")

    def preview(self, table: Table, recipe: Recipe, entry: RecipeStep) -> StepPreview:
        before, rows_before = self._run(table, recipe)
        after_recipe = (*recipe, replace(entry, fitted=self.fit(table, recipe, entry.step)))
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

    def match(self, table: Table, recipe: Recipe, entry: RecipeStep) -> MatchReport:
        raise InvalidInputError("the engine in memory joins no tables")

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

    def check_export(self, table: Table, shape: ExportShape) -> None:
        columns, rows = self._part(table, shape)
        if shape.format is not ExportFormat.XLSX:
            return
        check_sheet(len(rows), len(columns), header=shape.options.header)
        for column in columns:
            texts = [row[column.name] for row in rows if isinstance(row[column.name], str)]
            check_cell(column.name, max((len(text.encode("utf-16-le")) // 2 for text in texts), default=0))

    def export(self, table: Table | Path, shape: ExportShape, out: Path, monitor: Monitor) -> int:
        columns, rows = self._part(table, shape)
        monitor.report(0.5, "writing")
        if not shape.format.opens_in_spreadsheets:
            out.write_text("\n".join(json.dumps(row) for row in rows))
            return len(rows)
        guard: Callable[[str], str] = guarded if shape.guards else str
        with out.open("w", newline="", encoding="utf-8-sig" if shape.options.bom else "utf-8") as stream:
            writer = csv.writer(stream, delimiter=shape.delimiter, lineterminator="\n")
            if shape.options.header:
                writer.writerow(guard(column.name) for column in columns)
            for row in rows:
                writer.writerow(_exported(value, shape, guard) for value in row.values())
        return len(rows)

    def _part(self, table: Table | Path, shape: ExportShape) -> tuple[tuple[Column, ...], Rows]:
        columns, rows = self._run(table, ())
        if shape.filter is not None:
            rows = _filtered(columns, rows, shape.filter, "filter")
        rows = _sorted(columns, rows, shape.sort)[: shape.limit]
        if shape.columns is not None:
            columns = tuple(_column(columns, name, "columns") for name in shape.columns)
        return columns, [{column.name: row[column.name] for column in columns} for row in rows]

    def query(
        self, text: str, tables: Mapping[str, Table], this: View | None, limit: int, monitor: Monitor
    ) -> QueryResult:
        monitor.report(0.5, "computing")
        columns, rows, used = self._queried(text, tables, this)
        return QueryResult(
            columns=columns,
            rows=tuple(tuple(row.values()) for row in rows[:limit]),
            total=None if len(rows) > limit else len(rows),
            truncated=len(rows) > limit,
            used=used,
            elapsed_ms=0.0,
        )

    def check_query(self, text: str, tables: Mapping[str, Table], this: View | None) -> Sequence[str]:
        return self._queried(text, tables, this)[2]

    def write_query(
        self, text: str, tables: Mapping[str, Table], this: View | None, out: Path, monitor: Monitor
    ) -> WrittenTable:
        monitor.report(0.5, "computing")
        columns, rows, _ = self._queried(text, tables, this)
        return _write(out, columns, rows)

    def check_formula(self, table: Table, recipe: Recipe, formula: str, kind: FormulaKind) -> ColumnType:
        columns, rows = self._run(table, recipe)
        found = _narrowest(evaluate(columns, rows, formula, "formula"))
        return ColumnType.BOOLEAN if kind == "condition" else found

    def read_condition(self, table: Table, recipe: Recipe, formula: str) -> Group | None:
        names = {column.name for column in self._run(table, recipe)[0]}
        found = [_COMPARISON.fullmatch(part.strip()) for part in formula.split(" AND ")]
        if not all(one is not None and one["column"] in names for one in found):
            return None
        signs = {sign: test for test, sign in SIGNS.items()}
        return Group("all", tuple(Comparison(m["column"], signs[m["sign"]], (int(m["value"]),)) for m in found if m))

    def _queried(
        self, text: str, tables: Mapping[str, Table], this: View | None
    ) -> tuple[tuple[Column, ...], Rows, tuple[str, ...]]:
        known = {name: self._run(table, ()) for name, table in tables.items()}
        if this is not None:
            known["this"] = self._run(this.table, this.recipe)
        return selected(text, known)

    def forget(self, before: datetime, *, dry_run: bool = False) -> tuple[int, int]:
        return 0, 0

    def functions(self) -> Sequence[FunctionInfo]:
        return (FunctionInfo("abs", "abs(x)", "The value without its sign.", "Numbers", "abs(-2.5)", "2.5"),)

    def _run(self, table: Table | Path, recipe: Recipe) -> tuple[tuple[Column, ...], Rows]:
        if isinstance(table, Path):
            return _apply(*_load(table), recipe)
        with self._blobs.local(table.blob) as file:
            return _apply(*_load(file), recipe)


_NUMBER = "\0number"
_COMPARISON = re.compile(r"(?P<column>\w+) (?P<sign>=|<>|<=|<|>=|>) (?P<value>-?\d+)")


def _exported(value: Any, shape: ExportShape, guard: Callable[[str], str]) -> str:
    if value is None:
        return shape.options.missing
    return guard(value) if isinstance(value, str) else str(value).replace(".", shape.options.decimal)


def _apply(columns: tuple[Column, ...], rows: Rows, recipe: Recipe) -> tuple[tuple[Column, ...], Rows]:
    for entry in recipe:
        rule = _RULES.get(type(entry.step))
        if rule is None:
            raise InvalidInputError(f"the engine in memory lacks the step “{entry.step.info.title}”")
        columns, rows = rule(columns, rows, entry)
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
    values = evaluate(columns, rows, entry.step.formula, "formula")
    derived = Column(name, _narrowest(values))
    there = [c.name for c in columns]
    columns = tuple(derived if c.name == name else c for c in columns) if name in there else (*columns, derived)
    return columns, [row | {name: value} for row, value in zip(rows, values, strict=True)]


def _query(columns: tuple[Column, ...], rows: Rows, entry: RecipeStep) -> tuple[tuple[Column, ...], Rows]:
    assert isinstance(entry.step, Query)  # noqa: S101 - the rule's own kind
    if len(entry.inputs) != len(entry.step.tables):
        raise InvalidInputError.at("tables", msg="the other data source is not in this project", code="unknown_version")
    return selected(entry.step.sql, {"this": (columns, rows)})[:2]


def _aggregate(columns: tuple[Column, ...], rows: Rows, entry: RecipeStep) -> tuple[tuple[Column, ...], Rows]:
    assert isinstance(entry.step, Aggregate)  # noqa: S101 - the rule's own kind
    keys = [_column(columns, name, "groups") for name in entry.step.groups]
    groups: dict[tuple[Any, ...], Rows] = {} if keys else {(): []}
    for row in rows:
        groups.setdefault(tuple(row[key.name] for key in keys), []).append(row)
    made = [_figure_column(columns, summary) for summary in entry.step.values]
    found = []
    for key in sorted(groups, key=lambda cells: [(cell is None, cell or 0) for cell in cells]):
        figures = [_figure(summary, groups[key]) for summary in entry.step.values]
        found.append(dict(zip([c.name for c in (*keys, *made)], [*key, *figures], strict=True)))
    return (*keys, *made), found


def _figure_column(columns: tuple[Column, ...], summary: Summary) -> Column:
    counts = summary.statistic.counts
    return Column(summary.result, ColumnType.INTEGER if counts else _column(columns, summary.column, "values").type)


def _figure(summary: Summary, rows: Rows) -> Any:
    if not summary.column:
        return len(rows)
    known = [row[summary.column] for row in rows if row[summary.column] is not None]
    match summary.statistic:
        case Statistic.COUNT:
            return len(known)
        case Statistic.COUNT_DISTINCT:
            return len(set(known))
        case Statistic.MIN:
            return min(known, default=None)
        case Statistic.MAX:
            return max(known, default=None)
    raise InvalidInputError(f"the engine in memory lacks the figure “{summary.statistic}”")


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
    Query: _query,
    Aggregate: _aggregate,
}


def _column(columns: tuple[Column, ...], name: str, place: str) -> Column:
    for column in columns:
        if column.name == name:
            return column
    raise InvalidInputError.at(place, msg=f"there is no column “{name}”", code="unknown_column")


def _filtered(columns: tuple[Column, ...], rows: Rows, condition: str, place: str) -> Rows:
    values = evaluate(columns, rows, condition, place)
    return [row for row, value in zip(rows, values, strict=True) if value]


def _sorted(columns: tuple[Column, ...], rows: Rows, keys: Sequence[SortKey]) -> Rows:
    for key in reversed(keys):
        name = _column(columns, key.column, "by").name
        known = [row for row in rows if row[name] is not None]
        known.sort(key=lambda row: row[name], reverse=key.descending)
        rows = known + [row for row in rows if row[name] is None]
    return rows


def evaluate(columns: tuple[Column, ...], rows: Rows, formula: str, place: str) -> list[Any]:
    """The formula's value in each row, by SQLite."""
    if "select" in formula.lower():
        raise InvalidInputError.at(place, msg="a formula cannot hold a query", code="formula")
    connection = sqlite3.connect(":memory:")
    connection.create_function("is_missing", 1, lambda x: x is None)
    connection.create_function("text", 1, lambda x: None if x is None else str(x))
    connection.create_function(
        "regexp_matches", 2, lambda x, pattern: None if x is None else re.search(pattern, x) is not None
    )
    connection.create_function("ln", 1, lambda x: math.log(x) if x and x > 0 else None)
    names = [_quoted(column.name) for column in columns]
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


def selected(
    text: str, tables: Mapping[str, tuple[tuple[Column, ...], Rows]]
) -> tuple[tuple[Column, ...], Rows, tuple[str, ...]]:
    """What a SELECT gives, by SQLite: its columns, its rows, and the tables it reads."""
    connection = sqlite3.connect(":memory:")
    used: dict[str, None] = {}

    def only_reading(action: int, first: str | None, *_: str | None) -> int:
        if action == sqlite3.SQLITE_READ and first is not None and first in tables:
            used[first] = None
        allowed = action in (sqlite3.SQLITE_SELECT, sqlite3.SQLITE_FUNCTION) or first in tables
        return sqlite3.SQLITE_OK if allowed else sqlite3.SQLITE_DENY

    try:
        for name, (columns, rows) in tables.items():
            connection.execute(f"CREATE TABLE {_quoted(name)} ({', '.join(_quoted(c.name) for c in columns)})")
            marks = ", ".join("?" * len(columns))
            cells = [[row[c.name] for c in columns] for row in rows]
            connection.executemany(f"INSERT INTO {_quoted(name)} VALUES ({marks})", cells)  # noqa: S608
        connection.set_authorizer(only_reading)
        found = connection.execute(text)
        names = [described[0] for described in found.description or ()]
        values = [dict(zip(names, row, strict=True)) for row in found]
    except sqlite3.Error as error:
        raise InvalidInputError.at("sql", msg=str(error), code="query") from None
    finally:
        connection.close()
    if not names:
        raise InvalidInputError.at("sql", msg="only SELECT can be run here", code="not_allowed")
    return tuple(Column(name, _narrowest([row[name] for row in values])) for name in names), values, tuple(used)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _only_reading_t(action: int, first: str | None, *_: str | None) -> int:
    allowed = (sqlite3.SQLITE_SELECT, sqlite3.SQLITE_FUNCTION)
    fine = action in allowed or (action == sqlite3.SQLITE_READ and first == "t")
    return sqlite3.SQLITE_OK if fine else sqlite3.SQLITE_DENY


def _learn(method: FillMethod, name: str, rows: Rows) -> Any:
    values = sorted(row[name] for row in rows if row[name] is not None)
    if not values:
        raise InvalidInputError.at(
            "columns", msg=f"“{name}” has no value to learn the {method} from", code="all_missing"
        )
    if method is FillMethod.MEAN:
        return sum(values) / len(values)
    if method is FillMethod.MEDIAN:
        half = len(values) // 2
        return values[half] if len(values) % 2 else (values[half - 1] + values[half]) / 2
    return Counter(values).most_common(1)[0][0]


def _profile(column: Column, rows: Rows) -> ColumnProfile:
    values = [row[column.name] for row in rows if row[column.name] is not None]
    numbers = values if column.type.is_numeric else []
    texts = values if column.type in (ColumnType.TEXT, ColumnType.CATEGORY) else []
    ordered = [] if texts or column.type is ColumnType.BOOLEAN else values
    return ColumnProfile(
        name=column.name,
        type=column.type,
        missing=len(rows) - len(values),
        distinct=len(set(values)),
        minimum=min(ordered, default=None),
        maximum=max(ordered, default=None),
        mean=statistics.fmean(numbers) if numbers else None,
        std=statistics.stdev(numbers) if len(numbers) > 1 else None,
        quantiles=tuple(_quantiles(numbers)) if numbers else None,
        zeros=numbers.count(0) if column.type.is_numeric else None,
        lengths=(min(map(len, texts)), max(map(len, texts))) if texts else None,
        top=tuple(sorted(Counter(values).items(), key=lambda found: (-found[1], found[0]))[:10]),
    )


def _distribution(column: Column, rows: Rows, kept: Rows) -> Distribution:
    """With one bar for each number."""
    all_of, kept_of = (Counter(row[column.name] for row in part) for part in (rows, kept))
    missing, kept_missing = all_of.pop(None, 0), kept_of.pop(None, 0)
    if not column.type.is_numeric:
        top = [(value, n, kept_of[value]) for value, n in sorted(all_of.items(), key=lambda one: (-one[1], one[0]))]
        return Distribution(column.name, column.type, missing, kept_missing, top=tuple(top[:10]))
    values = sorted(all_of)
    return Distribution(
        column.name,
        column.type,
        missing,
        kept_missing,
        edges=(*values, values[-1]) if values else None,
        counts=tuple(all_of[value] for value in values),
        kept=tuple(kept_of[value] for value in values),
    )


def _quantiles(numbers: list[Any]) -> list[float]:
    if len(numbers) == 1:
        return [float(numbers[0])] * len(QUANTILES)
    twentieths = statistics.quantiles(numbers, n=20, method="inclusive")
    return [float(twentieths[round(at * 20) - 1]) for at in QUANTILES]


def _read_files(
    files: Sequence[IncomingFile], onto: tuple[tuple[Column, ...], Rows] = ((), [])
) -> tuple[tuple[Column, ...], Rows, Rows]:
    """Columns, rows behind those of a table, and the rows of another width; columns are united by name."""
    columns, rows = onto
    texts: list[dict[str, str]] = []
    rejected: Rows = []
    for file in files:
        header, lines, others = _read_csv(file.path)
        texts += [dict(zip(header, line, strict=True)) for line in lines]
        rejected += [{"file": file.name, **row} for row in others]
    names = tuple(dict.fromkeys([*(c.name for c in columns), *(name for row in texts for name in row)]))
    before = {c.name: c.type for c in columns}
    read: dict[str, list[Any]] = {}
    for name in names:
        cells = [row.get(name, "") for row in texts]
        stays_text = before.get(name) is ColumnType.TEXT
        known = [row.get(name) for row in rows]
        read[name] = known + ([cell or None for cell in cells] if stays_text else _typed(cells))
        if name in before and not stays_text and any(isinstance(value, str) for value in read[name]):
            raise UnreadableFileError(f"“{name}” holds values of type {before[name]} so far, and text in the file")
    united = tuple(Column(name, _narrowest(values)) for name, values in read.items())
    count = len(rows) + len(texts)
    return united, [{name: values[at] for name, values in read.items()} for at in range(count)], rejected


def _read_csv(file: Path) -> tuple[list[str], list[list[str]], Rows]:
    """The header, the cells of each row as they are written, and the rows of another width."""
    try:
        lines = list(csv.reader(file.read_text().splitlines()))
    except (UnicodeDecodeError, csv.Error):
        raise UnreadableFileError("this is not a text file") from None
    if not lines:
        raise UnreadableFileError("the file is empty")
    header, *below = lines
    cells = [row for row in below if len(row) == len(header)]
    rejected = [
        {"line": number, "reason": _reason(len(row), len(header)), "text": ",".join(row)}
        for number, row in enumerate(below, start=2)
        if len(row) != len(header)
    ]
    if len(rejected) > max(len(cells), 1):
        raise UnreadableFileError(f"most rows do not fit the table: line {rejected[0]['line']}")
    return header, cells, rejected


def _reason(cells: int, width: int) -> str:
    return f"it has {cells} {'cell' if cells == 1 else 'cells'}, not {width}"


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

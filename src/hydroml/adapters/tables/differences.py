"""The rows before a step beside those after it: what changes, what leaves, and the cells that got no value."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Any

import numpy as np

from hydroml.adapters.tables import sql
from hydroml.adapters.tables.builder import Plan
from hydroml.adapters.tables.formulas import used_columns
from hydroml.adapters.tables.steps.edits import held, literal
from hydroml.adapters.tables.views import Opened, Positions, Views
from hydroml.application.ports.tables import Differences, FailingCell, View
from hydroml.domain.sources import Column, Table
from hydroml.domain.studio.recipes import Recipe
from hydroml.domain.studio.steps import Bin, ChangeType, Derive, EditCells, Extract, ParseDates, RowEffect, Scale, Step
from hydroml.domain.studio.steps.scaling import Scaling

COMPARED_ROWS = 1_000_000
_FIRST = 60
_EACH = 40
"""So many rows that leave, change, stay or fail are shown beside the first ones."""
_MOST_COLUMNS = 300

Found = tuple[dict[str, int], int | None, Differences | None]


@dataclass(frozen=True, slots=True)
class _Failing:
    """Cells that have no value after a step though they should: `where` tells them, `value` is what they come from."""

    column: str
    where: str
    value: str
    reason: str


def differences(views: Views, table: Table, after: Recipe) -> Found:
    """How many cells of each column change, of how many rows if not of all, and the rows that tell; nothing for a step
    that makes rows of its own or only orders them."""
    recipe, entry = after[:-1], after[-1]
    with views.opened(table, recipe) as opened:
        plan = views.plan(opened.columns, (*opened.recipe, entry))
        stages = plan.stages[len(opened.plan.stages) :]
        if entry.step.effect is RowEffect.ORDERS or any(stage.anew for stage in stages):
            return {}, None, None
        old, new = _columns(opened.plan), _columns(plan)
        computed = {name for stage in stages for name in stage.changed}
        changed = tuple(name for name in old if name in new and name in computed)
        question = _Question(views, opened, plan, entry.step, changed, tuple(_failing(entry.step, old)))
        counts, positions = question.counted()
        told = question.shown(View(table, recipe), positions, sum(counts[len(changed) :]))
    whole = entry.step.effect in (RowEffect.RELATES, RowEffect.PLACED) or opened.rows <= COMPARED_ROWS
    return dict(zip(changed, counts, strict=False)), None if whole else COMPARED_ROWS, told


@dataclass(frozen=True, slots=True)
class _Question:
    """The table before the step, `a`, beside that after it, `b`."""

    views: Views
    opened: Opened
    plan: Plan
    step: Step
    changed: tuple[str, ...]
    failing: tuple[_Failing, ...]

    @property
    def differs(self) -> list[str]:
        old, new = _columns(self.opened.plan), _columns(self.plan)
        return [_differs(old[name], new[name]) for name in self.changed]

    def beside(self, where: str = "") -> str:
        row = sql.name(sql.ROW)
        kept = f" WHERE {where}" if where else ""
        old, new = (f"(SELECT * FROM {name}{kept})" for name in (self.opened.plan.last, self.plan.last))
        return f"FROM {old} a LEFT JOIN {new} b ON a.{row} = b.{row}"

    def counted(self) -> tuple[list[int], list[int]]:
        """How many cells of each column change, and how many fail; and positions of rows that are worth showing."""
        row, other = f"a.{sql.name(sql.ROW)}", f"b.{sql.name(sql.ROW)}"
        changes = [f"({other} IS NOT NULL AND {test})" for test in self.differs]
        failures = [f"({other} IS NOT NULL AND {one.where})" for one in self.failing]
        told = [f"{other} IS NOT NULL", f"{other} IS NULL"]
        told += [" OR ".join(tests) for tests in (changes, failures) if tests]
        asked = [f"count(*) FILTER ({test})" for test in (*changes, *failures)]
        asked += [f"min({row}, {_EACH}) FILTER ({test})" for test in told]
        if self.step.effect is RowEffect.RELATES:
            where = ""  # what looks at other rows has to see all of them
        elif isinstance(self.step, EditCells):
            where = _at(edit.row - 1 for edit in self.step.cells)
        else:
            where = f"file_row_number < {COMPARED_ROWS}"
        select = f"SELECT {', '.join(asked)} {self.beside()}"
        with self.views.connection(self.opened) as connection:
            found = connection.row(self.plan.query(self.opened.source(where), select))
        counts = len(changes) + len(failures)
        positions = {position for some in found[counts:] for position in some or ()}
        return [int(count) for count in found[:counts]], sorted(positions)

    def shown(self, view: View, found: list[int], failing_cells: int) -> Differences:
        """The first rows of the view and those found."""
        kept = self.views.positions(self.opened, View(view.table, self.opened.recipe)) if self.opened.recipe else None
        first = range(min(_FIRST, self.opened.rows)) if kept is None else [int(position) for position in kept[:_FIRST]]
        numbers = _numbers(kept, sorted({*first, *found}))
        old = _columns(self.opened.plan)
        columns = _union(self.opened.plan.columns, self.plan.columns, self.changed)
        computed = [c.name in self.changed or c.name not in old for c in columns]
        lines = sorted(self._lines(columns, computed, sorted(numbers)), key=lambda line: numbers[line[0]])
        rows, was, failing = [], list[dict[str, Any]](), list[FailingCell]()
        for position, stays, before, after, differing, failed in lines:
            pairs = zip(before, after, computed, strict=True)
            rows.append(tuple(new if stays and made else known for known, new, made in pairs))
            was.append({c.name: before[at] for at, c in enumerate(columns) if c.name in differing})
            failing += [
                FailingCell(numbers[position], one.column, value, one.reason)
                for one, (fails, value) in zip(self.failing, failed, strict=True)
                if fails
            ]
        return Differences(
            columns=columns,
            numbers=tuple(numbers[line[0]] for line in lines),
            rows=tuple(rows),
            fates=tuple("kept" if line[1] else "removed" for line in lines),
            was=tuple(was),
            failing=tuple(failing),
            failing_cells=failing_cells,
        )

    def _lines(
        self, columns: Sequence[Column], computed: Sequence[bool], wanted: list[int]
    ) -> Iterator[tuple[Any, ...]]:
        """Of each row its position, whether it stays, its cells before and after, the columns that differ, and of each
        kind of failing cell whether it is one and from what."""
        row = sql.name(sql.ROW)
        old = _columns(self.opened.plan)
        cells = [f"a.{row}", f"b.{row} IS NOT NULL"]
        cells += [f"a.{sql.name(c.name)}" if c.name in old else "NULL" for c in columns]
        cells += [f"b.{sql.name(c.name)}" if made else "NULL" for c, made in zip(columns, computed, strict=True)]
        cells += [f"b.{row} IS NOT NULL AND {test}" for test in self.differs]
        cells += [f"coalesce(b.{row} IS NOT NULL AND {one.where}, false)" for one in self.failing]
        cells += [one.value for one in self.failing]
        where = "" if self.step.effect is RowEffect.RELATES else _at(wanted)
        there = f"{row} IN ({', '.join(map(str, wanted)) or '-1'})"
        query = self.plan.query(self.opened.source(where), f"SELECT {', '.join(cells)} {self.beside(there)}")
        ends = list(
            accumulate((2, len(columns), len(columns), len(self.changed), len(self.failing), len(self.failing)))
        )
        with self.views.connection(self.opened) as connection:
            lines = connection.rows(query)
        for line in lines:
            before, after, differs, fails, values = (line[a:b] for a, b in pairwise(ends))
            differing = {name for name, true in zip(self.changed, differs, strict=True) if true}
            failed = list(zip(fails, map(sql.json_value, values), strict=True))
            yield line[0], line[1], *sql.json_rows((before, after)), differing, failed


def _at(positions: Iterable[int]) -> str:
    return f"file_row_number IN ({', '.join(map(str, positions)) or '-1'})"


def _columns(plan: Plan) -> dict[str, Column]:
    return {column.name: column for column in plan.columns}


def _differs(old: Column, new: Column) -> str:
    one, other = f"a.{sql.name(old.name)}", f"b.{sql.name(new.name)}"
    if old.type is not new.type and old.type.is_numeric and new.type.is_numeric:
        one, other = f"{one}::DOUBLE", f"{other}::DOUBLE"
    elif old.type is not new.type:
        # Values of different types can be compared only as text.
        one, other = f"{one}::VARCHAR", f"{other}::VARCHAR"
    return f"{one} IS DISTINCT FROM {other}"


def _failing(step: Step, old: dict[str, Column]) -> list[_Failing]:  # noqa: PLR0911 - one line for each kind
    match step:
        case ChangeType():
            return [_lost(name, [name], f"does not fit {step.to}") for name in step.columns]
        case ParseDates():
            return [_lost(step.name, step.columns, f"is no {step.to} in the stated format or zone")]
        case Derive():
            used = [column.name for column in used_columns(step.formula, list(old.values()))]
            return [_lost(step.column, used, "the formula gives no value")] if used else []
        case Extract():
            return [_lost(step.name, [step.column], "the pattern is not in it")]
        case Bin():
            return [_lost(step.name, [step.column], "lies beyond the classes")]
        case Scale() if step.method is Scaling.LOG:
            return [_lost(name, [name], "has no logarithm") for name in step.columns]
        case EditCells():
            return [_unfit(step, at, old) for at, edit in enumerate(step.cells) if edit.column in old]
    return []


def _lost(name: str, used: Sequence[str], reason: str) -> _Failing:
    cells = [f"a.{sql.name(one)}" for one in used]
    value = f"{cells[0]}::VARCHAR"
    if len(cells) > 1:
        named = [f"{sql.text(f'{one} = ')} || {cell}::VARCHAR" for one, cell in zip(used, cells, strict=True)]
        value = f"concat_ws(', ', {', '.join(named)})"
    known = " AND ".join(f"{cell} IS NOT NULL" for cell in cells)
    return _Failing(name, f"{known} AND b.{sql.name(name)} IS NULL", value, reason)


def _unfit(step: EditCells, at: int, old: dict[str, Column]) -> _Failing:
    edit = step.cells[at]
    column = old[edit.column]
    cell = f"a.{sql.name(column.name)}"
    known = held(column).replace(sql.name(column.name), cell)
    where = f"a.{sql.name(sql.ROW)} = {edit.row - 1} AND {known} IS DISTINCT FROM"
    was = "missing" if edit.before is None else f"“{str(edit.before)[:50]}”"
    return _Failing(
        column.name,
        f"{where} {literal(edit.before, column, at, 'before')}",
        f"{cell}::VARCHAR",
        f"held {was} when it was edited",
    )


def _numbers(kept: Positions | None, wanted: list[int]) -> dict[int, int]:
    """Where rows of the file stand in the table, from 1."""
    if kept is None:
        return {position: position + 1 for position in wanted}
    return {int(kept[at]): int(at) + 1 for at in np.flatnonzero(np.isin(kept, np.asarray(wanted, dtype=np.uint32)))}


def _union(old: Sequence[Column], new: Sequence[Column], changed: Sequence[str]) -> tuple[Column, ...]:
    """The columns after, and those that leave in the places they had."""
    names = {column.name for column in new}
    columns = list(new)
    before = ""
    for column in old:
        if column.name not in names:
            at = [c.name for c in columns].index(before) + 1 if before else 0
            columns.insert(at, column)
        before = column.name
    if len(columns) <= _MOST_COLUMNS:
        return tuple(columns)
    known = {column.name for column in old}
    touched = {c.name for c in columns if c.name in changed or c.name not in known or c.name not in names}
    room = max(_MOST_COLUMNS - len(touched), 0)
    others = {c.name for c in [c for c in columns if c.name not in touched][:room]}
    return tuple([c for c in columns if c.name in touched or c.name in others][:_MOST_COLUMNS])

"""The rule of the step that corrects single cells."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace

from hydroml.adapters.tables import sql
from hydroml.adapters.tables.builder import Builder
from hydroml.adapters.tables.constants import constant
from hydroml.adapters.tables.learning import Learning
from hydroml.domain.errors import Fault, InvalidInputError
from hydroml.domain.sources import Column, ColumnType
from hydroml.domain.studio.recipes import RecipeStep
from hydroml.domain.studio.steps import CellEdit, EditCells, Fitted
from hydroml.domain.studio.steps.values import Value

_SHOWN = 3
_MOST_FAULTS = 100


def edit_cells(builder: Builder, step: EditCells, _: RecipeStep) -> None:
    row = sql.name(sql.ROW)
    changed = {}
    for name, edits in by_column(step).items():
        column = builder.column(name, "cells", edits[0][0], "column")
        cell = sql.name(name)
        known = held(column)
        cases = [
            f"WHEN {row} = {edit.row - 1} AND {known} IS NOT DISTINCT FROM {literal(edit.before, column, at, 'before')}"
            f" THEN {literal(edit.to, column, at, 'to')}"
            for at, edit in edits
        ]
        rows = ", ".join(str(edit.row - 1) for _, edit in edits)
        # The many rows that nobody edited are told by one look at their number.
        changed[name] = f"CASE WHEN {row} IN ({rows}) THEN CASE {' '.join(cases)} ELSE {cell} END ELSE {cell} END"
        if any(edit.to is None for _, edit in edits):
            builder.columns[builder.columns.index(column)] = replace(column, nullable=True)
    builder.add(step.summary(), changed)


def learn_edits(table: Learning, step: EditCells) -> Fitted:
    """{"checked": true}. Raises InvalidInputError that names the edits which do not fit."""
    row = sql.name(sql.ROW)
    asked = [row]
    places: dict[int, int] = {}
    for name, edits in by_column(step).items():
        column = table.column(name, "cells", edits[0][0], "column")
        fits = [
            f"WHEN {edit.row - 1} THEN {held(column)} IS NOT DISTINCT FROM {literal(edit.before, column, at, 'before')}"
            for at, edit in edits
        ]
        places |= {at: len(asked) for at, _ in edits}
        asked += [f"CASE {row} {' '.join(fits)} END", f"{held(column)}::VARCHAR"]
    rows = ", ".join(str(number) for number in sorted({edit.row - 1 for edit in step.cells}))
    lines = table.rows(f"SELECT {', '.join(asked)} FROM {table.name} WHERE {row} IN ({rows})")
    found = {line[0]: line for line in lines}
    faults = []
    for at, edit in enumerate(step.cells):
        line = found.get(edit.row - 1)
        if line is None:
            faults.append(Fault(("cells", at, "row"), f"row {edit.row:,} is not there", "misfit"))
        elif not line[places[at]]:
            now = _shown(line[places[at] + 1])
            words = f"“{edit.column}” in row {edit.row:,} is {now}, not {_shown(edit.before)}"
            faults.append(Fault(("cells", at, "before"), words, "misfit"))
    if faults:
        total = len(step.cells)
        said = "; ".join(fault.msg for fault in faults[:_SHOWN]) + (" …" if len(faults) > _SHOWN else "")
        raise InvalidInputError(f"{len(faults):,} of {total:,} edits do not fit: {said}", tuple(faults[:_MOST_FAULTS]))
    return {"checked": True}


def by_column(step: EditCells) -> Mapping[str, Sequence[tuple[int, CellEdit]]]:
    """The edits of each column, each with its place in the step."""
    found: dict[str, list[tuple[int, CellEdit]]] = defaultdict(list)
    for at, edit in enumerate(step.cells):
        found[edit.column].append((at, edit))
    return found


def held(column: Column) -> str:
    """The cell as people see it: what is not a number is missing."""
    cell = sql.name(column.name)
    return f"CASE WHEN isfinite({cell}) THEN {cell} END" if column.type is ColumnType.NUMBER else cell


def literal(value: Value | None, column: Column, at: int, part: str) -> str:
    """Raises InvalidInputError at the edit when a value does not fit the column."""
    if column.type is ColumnType.DURATION:
        raise InvalidInputError.at("cells", at, "column", msg="a duration cannot be edited by hand", code="type")
    return "NULL" if value is None else constant(value, column, "cells", at, part)


def _shown(value: Value | None) -> str:
    return "missing" if value is None else f"“{str(value)[:50]}”"

"""What was found in several files, told as of one table."""

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from typing import Any

from hydroml.adapters.tables.reading.joining import common_type
from hydroml.adapters.tables.reading.kinds import MARKERS
from hydroml.domain.sources import (
    ColumnType,
    DetectedColumn,
    Detection,
    ImportOptions,
    ProposedMarker,
    Question,
)

_SHOWN = 20
_NOTES = 50


def detection(found: Sequence[Detection], names: Sequence[str], options: ImportOptions) -> Detection:
    """Columns united by name; an option is in force only where it is so for each of the files."""
    if len(found) == 1:
        return found[0]
    columns = _columns(found)
    formats = dict.fromkeys(each.format for each in found)
    return Detection(
        format=next(iter(formats)),
        options=_in_force([each.options for each in found], options),
        columns=columns,
        rows=_rows(found, columns),
        sheets=next((each.sheets for each in found if each.sheets), ()),
        missing=_missing(found),
        questions=_questions(found),
        rejected=sum(each.rejected for each in found),
        rejects=tuple(row for each in found for row in each.rejects)[:_SHOWN],
        judged_all=all(each.judged_all for each in found),
        notes=remarks([(name, each.notes) for name, each in zip(names, found, strict=True)]),
    )


def to_be_read_anew(found: Sequence[Detection]) -> Mapping[int, list[str]]:
    """Columns by file that are text in others, so that their values have to be shown as they are written."""
    if len(found) == 1:
        return {}
    texts = {column.name.casefold() for column in _columns(found) if column.type is ColumnType.TEXT}
    anew = {
        at: [c.name for c in each.columns if c.name.casefold() in texts and c.type is not ColumnType.TEXT]
        for at, each in enumerate(found)
    }
    return {at: names for at, names in anew.items() if names}


def remarks(found: Sequence[tuple[str, Sequence[str]]]) -> tuple[str, ...]:
    """Remarks about files, each with the file's name where there are several."""
    if len(found) == 1:
        return tuple(found[0][1])
    told = [f"“{name[:100]}”: {note}" for name, notes in found for note in notes]
    if len(told) > _NOTES:
        told = [*told[:_NOTES], f"and {len(told) - _NOTES:,} more such remarks"]
    return tuple(told)


def _columns(found: Sequence[Detection]) -> tuple[DetectedColumn, ...]:
    same: dict[str, list[tuple[Detection, int]]] = {}
    for each in found:
        for at, column in enumerate(each.columns):
            same.setdefault(column.name.casefold(), []).append((each, at))
    columns = []
    for places in same.values():
        alike = [each.columns[at] for each, at in places]
        kinds = {each.columns[at].type for each, at in places if not _is_empty(each, at)}
        note = next((column.note for column in alike if column.note), "")
        absent = len(found) - len(places)
        if absent:
            note = "; ".join(filter(None, (note, f"absent in {absent:,} of {len(found):,} files, and missing there")))
        misfits = sum(column.misfits for column in alike)
        columns.append(DetectedColumn(alike[0].name, common_type(kinds), misfits, note))
    return tuple(columns)


def _is_empty(found: Detection, at: int) -> bool:
    """Whether a column shows no value but words for missing ones, so that it may be of any type."""
    words = MARKERS if found.options.missing is None else ()
    shown = [row[at] for row in found.rows]
    return (
        found.columns[at].type is ColumnType.TEXT
        and bool(shown)
        and all(cell is None or str(cell).strip().lower() in words for cell in shown)
    )


def _rows(found: Sequence[Detection], columns: Sequence[DetectedColumn]) -> tuple[tuple[Any, ...], ...]:
    rows: list[tuple[Any, ...]] = []
    for each in found:
        places = {column.name.casefold(): (at, column.type) for at, column in enumerate(each.columns)}
        for row in each.rows[: _SHOWN - len(rows)]:
            cells = []
            for column in columns:
                at, kind = places.get(column.name.casefold(), (-1, column.type))
                cell = row[at] if at >= 0 else None
                if cell is not None and kind is ColumnType.DATE and column.type is ColumnType.TIMESTAMP:
                    cell = f"{cell}T00:00:00"
                elif kind is ColumnType.TEXT and column.type is not ColumnType.TEXT:
                    cell = None  # a word for a missing value
                cells.append(cell)
            rows.append(tuple(cells))
    return tuple(rows)


def _in_force(found: Sequence[ImportOptions], given: ImportOptions) -> ImportOptions:
    agreed = {
        field.name: getattr(found[0], field.name)
        for field in fields(ImportOptions)
        if field.name not in ("types", "files")
        and all(getattr(each, field.name) == getattr(found[0], field.name) for each in found)
    }
    return replace(given, **agreed)


def _missing(found: Sequence[Detection]) -> tuple[ProposedMarker, ...]:
    markers: dict[str, ProposedMarker] = {}
    for marker in (marker for each in found for marker in each.missing):
        known = markers.get(marker.text, ProposedMarker(marker.text, (), 0, applied=True))
        columns = tuple(dict.fromkeys((*known.columns, *marker.columns)))
        applied = known.applied and marker.applied
        markers[marker.text] = ProposedMarker(marker.text, columns, known.cells + marker.cells, applied)
    return tuple(markers.values())


def _questions(found: Sequence[Detection]) -> tuple[Question, ...]:
    questions: dict[str, Question] = {}
    for question in (question for each in found for question in each.questions):
        known = questions.setdefault(question.option, question)
        columns = tuple(dict.fromkeys((*known.columns, *question.columns)))
        questions[question.option] = replace(known, columns=columns)
    return tuple(questions.values())

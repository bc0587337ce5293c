"""Rules of the steps on texts."""

from collections.abc import Sequence

from hydroml.adapters.tables import sql
from hydroml.adapters.tables.builder import Builder
from hydroml.domain.errors import InvalidInputError
from hydroml.domain.sources import Column, ColumnType
from hydroml.domain.studio.recipes import RecipeStep
from hydroml.domain.studio.steps import CleanText, Extract, MergeColumns, ReplaceText, SplitColumn
from hydroml.domain.studio.steps.base import TEXTUAL
from hydroml.domain.studio.steps.texts import Case, Matching

_CASES = {
    Case.LOWER: "lower({0})",
    Case.UPPER: "upper({0})",
    # The first letter of each word; a word begins at the start and behind what is no letter, digit or apostrophe.
    Case.TITLE: "array_to_string(list_transform("
    "regexp_extract_all({0}, '[\\p{{L}}\\p{{N}}’'']+|[^\\p{{L}}\\p{{N}}’'']+'),"
    " lambda w: upper(w[1]) || lower(w[2:])), '')",
}


def clean_text(builder: Builder, step: CleanText, _: RecipeStep) -> None:
    changed = {}
    for column in textual(builder, step.columns):
        cell = f"nfc_normalize({sql.name(column.name)})"
        if step.accents:
            cell = f"strip_accents({cell})"
        if step.trim:
            cell = rf"regexp_replace(regexp_replace({cell}, '^[\s\x{{a0}}]+', ''), '[\s\x{{a0}}]+$', '')"
        if step.collapse:
            cell = rf"regexp_replace({cell}, '[\s\x{{a0}}]+', ' ', 'g')"
        if step.case is not Case.AS_IS:
            cell = _CASES[step.case].format(cell)
        changed[column.name] = f"nullif({cell}, '')"
    builder.add(step.summary(), changed)


def replace_text(builder: Builder, step: ReplaceText, _: RecipeStep) -> None:
    changed = {}
    find, by = sql.text(step.find), sql.text(step.replacement)
    for column in textual(builder, step.columns):
        cell = sql.name(column.name)
        if step.matching is Matching.TEXT:
            changed[column.name] = f"replace({cell}, {find}, {by})"
        else:
            changed[column.name] = f"regexp_replace({cell}, {find}, {by}, 'g')"
            builder.types.of(changed[column.name], [column], "find")  # a pattern is read only when a query runs
    builder.add(step.summary(), changed)


def split_column(builder: Builder, step: SplitColumn, _: RecipeStep) -> None:
    (column,) = textual(builder, [step.column], "column")
    pieces = f"string_split({sql.name(column.name)}, {sql.text(step.separator)})"
    changed: dict[str, str] = {}
    after = column.name
    for at in range(1, step.into + 1):
        name = f"{column.name}_{at}"
        builder.put(Column(name, ColumnType.TEXT), "column", new=True, after=after)
        last = f"array_to_string({pieces}[{at}:], {sql.text(step.separator)})"
        changed[name] = f"nullif({last if at == step.into else f'{pieces}[{at}]'}, '')"
        after = name
    if not step.keep:
        builder.columns.remove(column)
    builder.add(step.summary(), changed)


def merge_columns(builder: Builder, step: MergeColumns, _: RecipeStep) -> None:
    columns = [builder.column(name, "columns", at) for at, name in enumerate(step.columns)]
    if not step.keep:
        builder.columns = [column for column in builder.columns if column not in columns]
    builder.put(Column(step.name, ColumnType.TEXT), "name", new=True)
    cells = ", ".join(f"{sql.name(column.name)}::VARCHAR" for column in columns)
    builder.add(step.summary(), {step.name: f"nullif(concat_ws({sql.text(step.separator)}, {cells}), '')"})


def extract(builder: Builder, step: Extract, _: RecipeStep) -> None:
    (column,) = textual(builder, [step.column], "column")
    cell = f"nullif(regexp_extract({sql.name(column.name)}, {sql.text(step.pattern)}, {step.group}), '')"
    builder.types.of(cell, [column], "pattern")
    builder.put(Column(step.name, ColumnType.TEXT), "name", new=True, after=column.name)
    builder.add(step.summary(), {step.name: cell})


def textual(builder: Builder, names: Sequence[str], loc: str = "columns") -> list[Column]:
    """Raises InvalidInputError when one of the columns is not text."""
    found = []
    for at, name in enumerate(names):
        place = (loc,) if loc == "column" else (loc, at)
        column = builder.column(name, *place)
        if column.type not in TEXTUAL:
            raise InvalidInputError.at(
                *place, msg=f"“{name}” is {column.type}; this needs text, so change its type first", code="type"
            )
        found.append(column)
    return found

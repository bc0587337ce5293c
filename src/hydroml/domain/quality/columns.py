"""Findings about single columns: what is missing, what is unique, and what is always the same."""

from collections.abc import Iterator
from typing import Any

from hydroml.domain.quality.facts import FEW, ColumnFacts, Facts
from hydroml.domain.quality.findings import (
    Finding,
    counted,
    dropping,
    fitting,
    named,
    number,
    percent,
    quoted,
    short,
)
from hydroml.domain.quality.kinds import Severity
from hydroml.domain.quality.personal import personal_by_value
from hydroml.domain.quality.words import looks_like_key, personal_by_name
from hydroml.domain.sources import ColumnType
from hydroml.domain.studio.steps import FillMethod, FillMissing, Filter, Step

MOSTLY = 0.5
NEARLY_ALWAYS = 0.99
NEARLY_UNIQUE = 0.98
NAMES = (ColumnType.TEXT, ColumnType.CATEGORY)


def judged(column: ColumnFacts, facts: Facts) -> Iterator[Finding]:
    if column.rows == 0:
        return
    yield from _missing(column, facts)
    yield from _sameness(column, facts)
    yield from _keys(column)
    yield from _classes(column)
    yield from _personal(column)


def _missing(column: ColumnFacts, facts: Facts) -> Iterator[Finding]:
    name, share = column.name, column.share_missing
    if column.known == 0:
        yield Finding(
            "empty_column", Severity.WARNING, (name,), "The column holds no value at all.",
            rows=column.rows, share=1.0, step=dropping([name], len(facts.columns)),
        )  # fmt: skip
        return
    if not column.missing:
        return
    condition = f"is_missing({named(name)})"
    spacing = next((s.spacing for s in facts.time.series if s.column == name), None) if facts.time else None
    known = f"{counted(column.known, 'rows')} of {column.rows:,} have a value"
    if share >= MOSTLY and spacing is not None and spacing >= 2 and facts.time and facts.time.step:
        yield Finding(
            "mostly_missing", Severity.INFO, (name,),
            f"{known}, typically one every {short(spacing)} steps of {facts.time.step}: it is measured less often than"
            " the rows are.", filter=fitting(condition), step=_known_rows(name),
        )  # fmt: skip
    elif share >= MOSTLY:
        yield Finding(
            "mostly_missing", Severity.WARNING, (name,), f"Only {known}.",
            filter=fitting(condition), step=dropping([name], len(facts.columns)),
        )  # fmt: skip
    else:
        severity = Severity.WARNING if share >= 0.05 else Severity.INFO
        yield Finding(
            "missing", severity, (name,), f"No value in {counted(column.missing, 'rows')} ({percent(share)}).",
            filter=fitting(condition), step=_mended(column, facts),
        )  # fmt: skip


def _known_rows(name: str) -> Step | None:
    condition = fitting(f"NOT is_missing({named(name)})")
    return Filter(condition) if condition else None


def _mended(column: ColumnFacts, facts: Facts) -> Step | None:
    """A few rows may be left out; in a series an invented value would be worse than none; else the median, marked."""
    if facts.time is not None or column.share_missing < 0.05 or column.type.is_temporal:
        return _known_rows(column.name)
    if column.type.is_numeric:
        return FillMissing((column.name,), FillMethod.MEDIAN, flag=True)
    if column.type in NAMES:
        return FillMissing((column.name,), FillMethod.CONSTANT, "unknown", flag=True)
    return _known_rows(column.name)


def _sameness(column: ColumnFacts, facts: Facts) -> Iterator[Finding]:
    if column.known == 0 or column.rows < 2:
        return
    if column.exact and column.distinct == 1:
        value = f" ({_shown(column.values[0][0])})" if column.values else ""
        yield Finding(
            "constant", Severity.WARNING if column.missing == 0 else Severity.INFO, (column.name,),
            f"Every row that has a value has the same{value}: a model learns nothing from it.",
            rows=column.known, share=column.known / column.rows, step=dropping([column.name], len(facts.columns)),
        )  # fmt: skip
        return
    usual = _usual(column)
    if usual is None or column.rows < 50:
        return
    value, share = usual
    if share < NEARLY_ALWAYS or (column.type.is_numeric and value == 0 and share < 0.999):
        return  # no rain is what is usual in many places
    condition = f"{named(column.name)} <> {_literal(value)}"
    yield Finding(
        "near_constant", Severity.INFO, (column.name,),
        f"{percent(share)} of its values are {_shown(value)}; the others are shown.",
        filter=fitting(condition) if column.type not in (ColumnType.DATE, ColumnType.TIMESTAMP) else None,
        step=dropping([column.name], len(facts.columns)),
    )  # fmt: skip


def _literal(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return number(value) if isinstance(value, (int, float)) else quoted(str(value))


def _usual(column: ColumnFacts) -> tuple[Any, float] | None:
    """The most frequent value and its share of the known ones."""
    if column.values:
        value, count = column.values[0]
        return value, count / column.known
    return column.numbers.spike if column.numbers else None


def _shown(value: Any) -> str:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return short(float(value))
    return f"“{str(value)[:60]}”"


def _keys(column: ColumnFacts) -> Iterator[Finding]:
    if column.type not in (*NAMES, ColumnType.INTEGER) or column.rows < 5:
        return
    if column.is_unique and column.missing == 0:
        measured = column.texts is not None and column.texts.numbers > 0.5 * column.known
        if looks_like_key(column.name) or (column.type in NAMES and not measured):
            yield Finding(
                "candidate_key", Severity.INFO, (column.name,),
                "Every row has a value of its own: it can name the rows, and is no feature.",
            )  # fmt: skip
        return
    nearly = column.exact and column.distinct >= NEARLY_UNIQUE * column.known and column.rows >= 50
    if nearly and looks_like_key(column.name) and not column.is_unique:
        again = column.known - column.distinct
        yield Finding(
            "broken_key", Severity.WARNING, (column.name,),
            f"It looks like a key, but {counted(again, 'values')} are there more than once.",
            rows=again, share=again / column.rows,
        )  # fmt: skip


def _classes(column: ColumnFacts) -> Iterator[Finding]:
    named_values = column.type in (*NAMES, ColumnType.BOOLEAN)
    if column.type in NAMES and column.distinct > FEW and column.distinct > 0.5 * column.known:
        if not (column.is_unique and column.missing == 0):
            yield Finding(
                "high_cardinality", Severity.INFO, (column.name,),
                f"About {column.distinct:,} different texts in {column.known:,} rows: as a feature it would be learnt"
                " by heart.",
            )  # fmt: skip
        return
    if not named_values or not 2 <= len(column.values) <= 20 or column.distinct > len(column.values):
        return
    value, count = column.values[0]
    share = count / column.known
    if 0.85 <= share < NEARLY_ALWAYS:
        yield Finding(
            "imbalance", Severity.INFO, (column.name,),
            f"{percent(share)} of the rows are {_shown(value)}: as a target, look at more than the accuracy.",
            rows=count, share=share,
        )  # fmt: skip
    rare = [value for value, count in column.values if count < 10]
    if rare and column.known >= 200:
        shown = ", ".join(_shown(value) for value in rare[:5])
        condition = " OR ".join(f"{named(column.name)} = {quoted(str(value))}" for value in rare)
        yield Finding(
            "rare_class", Severity.INFO, (column.name,), f"Fewer than ten rows each: {shown}.",
            filter=fitting(condition) if column.type in NAMES else None,
        )  # fmt: skip


def _personal(column: ColumnFacts) -> Iterator[Finding]:
    examples = column.texts.examples if column.texts else ()
    what = personal_by_value(column.name, examples)
    how = "by the form of its values"
    if what is None and column.type not in (ColumnType.BOOLEAN, ColumnType.NUMBER, ColumnType.DURATION):
        what, how = personal_by_name(column.name), "by its name"
    if what is not None:
        yield Finding(
            "personal_data", Severity.WARNING, (column.name,),
            f"It may hold {what} ({how}). Leave it out unless it is needed, and mind who can see the project.",
        )  # fmt: skip

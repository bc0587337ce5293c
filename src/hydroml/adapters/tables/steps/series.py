"""Rules of the steps that bring a series to regular times: resample and regularise."""

from collections.abc import Sequence

from hydroml.adapters.tables import sql
from hydroml.adapters.tables.builder import Builder
from hydroml.adapters.tables.steps.shapes import PLACE, ascending, chosen, must_differ, placed
from hydroml.adapters.tables.steps.statistics import figure, summaries
from hydroml.domain.errors import InvalidInputError
from hydroml.domain.sources import Column, ColumnType
from hydroml.domain.studio.recipes import RecipeStep
from hydroml.domain.studio.steps import Period, Regularise, Resample, Statistic, TimeStep

MAX_TIMES = 10_000_000
"""More times than this are not made: a far-off date in a series of hours would fill the disk."""

_MOMENT = '"__hydroml_moment"'
"""A row's time as a timestamp."""
_PERIOD = '"__hydroml_period"'
"""The beginning of the period it is in."""
_COPIES = '"__hydroml_copies"'
_KNOWN = "__hydroml_known"
_DAY = 86_400_000_000
_MONTHS = {Period.MONTH: 1, Period.QUARTER: 3, Period.YEAR: 12, Period.WATER_YEAR: 12}
_MICROSECONDS = {Period.HOUR: _DAY // 24, Period.DAY: _DAY, Period.WEEK: 7 * _DAY}


def resample(builder: Builder, step: Resample, _: RecipeStep) -> None:
    groups, time = _series(builder, step)
    expressions, made = summaries(builder, step.values, "values")
    kind = ColumnType.TIMESTAMP if step.period is Period.HOUR else ColumnType.DATE
    columns = [*groups, Column(step.time, kind, nullable=False), *made]
    must_differ(columns, "values")
    names = _group_names(groups)
    figures = [f"{text} AS {sql.name(column.name)}" for text, column in zip(expressions, made, strict=True)]
    if step.completeness:
        figures += [
            f'count(DISTINCT {_MOMENT}) FILTER (WHERE {sql.name(value.column)} IS NOT NULL) AS "{_KNOWN}_{at}"'
            for at, value in enumerate(step.values)
            if not value.statistic.counts
        ]
    months, microseconds = _MONTHS.get(step.period, 0), _MICROSECONDS.get(step.period, 0)
    length = f"to_months({months})" if months else f"to_microseconds({microseconds})"
    bounds = (
        f"SELECT {_listed(names)}min({_PERIOD}) AS first, max({_PERIOD}) AS last, {months} AS months,"
        f" {microseconds} AS microseconds, false AS ends FROM t{_grouped(names)}"
    )
    select = (
        f"WITH t AS (SELECT *, {_period(step)} AS {_PERIOD} FROM ({_timed(builder, groups, time)})"
        f" WHERE {_MOMENT} IS NOT NULL),"
        f" f AS (SELECT {_listed(names)}{_PERIOD}, {', '.join(figures)} FROM t GROUP BY {_listed(names)}{_PERIOD}),"
        f" p AS (SELECT *, ({_MOMENT} + {length})::TIMESTAMP AS following FROM ({_times(bounds, names)}))"
    )
    if step.completeness:
        select += f", u AS ({_usual(names, step.step)})"
    shown = [f"p.{name} AS {sql.name(column.name)}" for name, column in zip(names, groups, strict=True)]
    shown.append(f"{_label(step)}::{sql.sql_type(kind)} AS {sql.name(step.time)}")
    shown += _complete(step, made)
    select += f" SELECT {', '.join(shown)} FROM p LEFT JOIN f ON {_same(names, 'p', 'f')} AND {_MOMENT} = {_PERIOD}"
    if step.completeness:
        select += f" LEFT JOIN u ON {_same(names, 'p', 'u')}"
    builder.replace(step.summary(), select, columns, [*ascending(groups), f"{sql.name(step.time)} ASC"])


def _complete(step: Resample, made: Sequence[Column]) -> list[str]:
    """The figures of the periods in which enough values are known."""
    expected = (
        f"CASE WHEN u.months > 0 THEN date_diff('month', p.{_MOMENT}, following) / u.months"
        f" ELSE (epoch_us(following) - epoch_us(p.{_MOMENT})) / u.microseconds END"
    )
    shown = []
    for at, (value, column) in enumerate(zip(step.values, made, strict=True)):
        cell = f"f.{sql.name(column.name)}"
        if value.statistic in (Statistic.COUNT, Statistic.COUNT_DISTINCT):
            cell = f"coalesce({cell}, 0)"
        elif step.completeness and not value.statistic.counts:
            # A billionth is for what a division loses.
            enough = f'f."{_KNOWN}_{at}" + 1e-9 >= {step.completeness!r}::DOUBLE * ({expected})'
            cell = f"CASE WHEN {enough} THEN {cell} END"
        shown.append(f"{cell} AS {sql.name(column.name)}")
    return shown


def _period(step: Resample) -> str:
    if step.period is not Period.WATER_YEAR:
        return f"date_trunc('{step.period}', {_MOMENT})::TIMESTAMP"
    earlier = f"to_months({step.start_month - 1})"
    return f"(date_trunc('year', date_trunc('month', {_MOMENT}) - {earlier}) + {earlier})::TIMESTAMP"


def _label(step: Resample) -> str:
    if step.label == "start":
        return f"p.{_MOMENT}"
    return "following" if step.period is Period.HOUR else "(following - to_days(1))"


def regularise(builder: Builder, step: Regularise, _: RecipeStep) -> None:
    groups, time = _series(builder, step)
    if time.type is ColumnType.DATE and step.step and step.step.seconds % 86_400:
        raise InvalidInputError.at(
            "step", msg=f"“{time.name}” holds dates; a step shorter than a day needs timestamps", code="type"
        )
    names = _group_names(groups)
    columns, single = _single(builder, step, _timed(builder, groups, time), names)
    bounds = (
        f"SELECT u.*, first, last FROM (SELECT {_listed(names)}min({_MOMENT}) AS first, max({_MOMENT}) AS last"
        f" FROM t WHERE {_MOMENT} IS NOT NULL{_grouped(names)}) b JOIN u ON {_same(names, 'b', 'u')}"
    )
    missing = {c.name: f"p.{name}" for c, name in zip(groups, names, strict=True)}
    missing[step.time] = f"p.{_MOMENT}::{sql.sql_type(time.type)}"
    select = (
        f"WITH t AS ({single}), u AS ({_usual(names, step.step)}), p AS ({_times(bounds, names)})"
        f" SELECT {PLACE}, {sql.names(column.name for column in columns)} FROM t"
        f" UNION ALL SELECT NULL, {', '.join(missing.get(column.name, 'NULL') for column in columns)}"
        f" FROM p ANTI JOIN t ON {_same(names, 'p', 't')} AND p.{_MOMENT} = t.{_MOMENT}"
    )
    order = [*ascending(groups), f"{sql.name(step.time)} ASC NULLS LAST", PLACE]
    builder.replace(step.summary(), select, columns, order)


def _single(builder: Builder, step: Regularise, rows: str, names: Sequence[str]) -> tuple[list[Column], str]:
    """The columns, and the rows with each time once in its group."""
    kept = (*step.groups, step.time)
    columns = [Column(c.name, c.type, c.nullable or c.name not in kept) for c in builder.columns]
    spot = ", ".join([*names, _MOMENT])
    if step.duplicates in ("first", "last"):
        number = f"row_number() OVER (PARTITION BY {spot} ORDER BY {PLACE} {_DIRECTION[step.duplicates]})"
        return columns, f"SELECT * FROM ({rows}) QUALIFY {_MOMENT} IS NULL OR {number} = 1"
    if step.duplicates == "refuse":
        told = f"error('the time ' || {_MOMENT} || ' occurs more than once; say what becomes of such rows')"
        counted = f"SELECT *, count(*) OVER (PARTITION BY {spot}) AS {_COPIES} FROM ({rows})"
        failing = f"CASE WHEN {_MOMENT} IS NOT NULL AND {_COPIES} > 1 THEN {told}::BOOLEAN ELSE true END"
        return columns, f"SELECT * FROM ({counted}) WHERE {failing}"
    cells = []
    for at, column in enumerate(columns):
        cell = sql.name(column.name)
        if column.name in step.groups:
            cells.append(f"{names[step.groups.index(column.name)]} AS {cell}")
        elif column.type.is_numeric:
            columns[at] = Column(column.name, ColumnType.NUMBER, column.nullable)
            cells.append(f"{figure(Statistic.MEAN, column)} AS {cell}")
        else:
            cells.append(f"{figure(Statistic.FIRST, column)} AS {cell}")
    alone = f"CASE WHEN {_MOMENT} IS NULL THEN {PLACE} END"
    return columns, (
        f"SELECT min({PLACE}) AS {PLACE}, {spot}, {', '.join(cells)} FROM ({rows}) GROUP BY {spot}, {alone}"
    )


_DIRECTION = {"first": "ASC", "last": "DESC"}


def _usual(names: Sequence[str], stated: TimeStep | None) -> str:
    """For each group of `t` its usual step: `months`, or if that is 0 `microseconds`; and whether all its times are
    last days of months. A group with a single time has none, unless it is stated."""
    shape = (
        f"SELECT {_listed(names)}bool_and(last_day({_MOMENT}) = {_MOMENT}::DATE) AS ends,"
        f" count(DISTINCT {_MOMENT} - date_trunc('month', {_MOMENT})) = 1 AS monthly"
        f" FROM t WHERE {_MOMENT} IS NOT NULL{_grouped(names)}"
    )
    if stated is not None:
        step = f"{stated.months} AS months, {stated.seconds * 1_000_000} AS microseconds"
        return f"SELECT {_listed(names)}{step}, ends FROM ({shape})"
    partition = f"PARTITION BY {', '.join(names)} " if names else ""
    steps = (
        f"SELECT *, lag({_MOMENT}) OVER ({partition}ORDER BY {_MOMENT}) AS earlier"
        f" FROM (SELECT DISTINCT {_listed(names)}{_MOMENT} FROM t WHERE {_MOMENT} IS NOT NULL)"
    )
    counted = (
        f"SELECT {_listed(names)}epoch_us({_MOMENT}) - epoch_us(earlier) AS length,"
        f" min(date_diff('month', earlier, {_MOMENT})) AS months, count(*) AS times"
        f" FROM ({steps}) WHERE earlier IS NOT NULL GROUP BY {_listed(names)}length"
    )
    usual = (
        f"SELECT {_listed(names)}first(length ORDER BY times DESC, length) AS length,"
        f" first(months ORDER BY times DESC, length) AS months FROM ({counted}){_grouped(names)}"
    )
    # Months have no one length: they are told by the day, which is the same in all of them, or the last.
    calendar = f"(s.monthly OR s.ends) AND c.length >= {28 * _DAY}"
    return (
        f"SELECT {''.join(f'c.{name}, ' for name in names)}CASE WHEN {calendar} THEN c.months ELSE 0 END AS months,"
        f" c.length AS microseconds, s.ends FROM ({usual}) c JOIN ({shape}) s ON {_same(names, 'c', 's')}"
    )


def _times(bounds: str, names: Sequence[str]) -> str:
    """Every `_MOMENT` from `first` to `last` of each group, a step apart."""
    many = (
        "CASE WHEN months > 0 THEN date_diff('month', first, last) // months"
        " ELSE (epoch_us(last) - epoch_us(first)) // microseconds END"
    )
    told = (
        f"error('there are ' || total || ' steps from the first time to the last, at most {MAX_TIMES:,} are made;"
        " look for times that are far off')"
    )
    numbered = (
        f"SELECT *, unnest(range(CASE WHEN total > {MAX_TIMES} THEN {told}::BIGINT ELSE many + 1 END)) AS n"
        f" FROM (SELECT *, sum(many + 1) OVER () AS total FROM (SELECT *, {many} AS many FROM ({bounds})))"
    )
    month = "first + to_months((n * months)::INTEGER)"
    end = f"last_day({month}) + (first - date_trunc('day', first))"
    time = f"CASE WHEN months = 0 THEN first + to_microseconds(n * microseconds) WHEN ends THEN {end} ELSE {month} END"
    return f"SELECT {_listed(names)}{time} AS {_MOMENT} FROM ({numbered}) WHERE {time} <= last"


def _series(builder: Builder, step: Resample | Regularise) -> tuple[list[Column], Column]:
    groups, time = chosen(builder, step.groups, "groups"), builder.column(step.time, "time")
    if not time.type.is_temporal:
        raise InvalidInputError.at(
            "time", msg=f"“{time.name}” is {time.type}; choose a date or timestamp, or parse one first", code="type"
        )
    if time in groups:
        raise InvalidInputError.at("time", msg="this column is one of the groups", code="duplicate")
    return groups, time


def _timed(builder: Builder, groups: Sequence[Column], time: Column) -> str:
    """The table with `_MOMENT`, and its groups under their names in between."""
    named = [f"{sql.name(c.name)} AS {name}" for c, name in zip(groups, _group_names(groups), strict=True)]
    named.append(f"{sql.name(time.name)}::TIMESTAMP AS {_MOMENT}")
    return f"SELECT *, {', '.join(named)} FROM ({placed(builder)})"


def _group_names(groups: Sequence[Column]) -> list[str]:
    """What groups are called in between, so that none has the name of something else."""
    return [f'"__hydroml_group_{at}"' for at in range(len(groups))]


def _listed(names: Sequence[str]) -> str:
    return "".join(f"{name}, " for name in names)


def _grouped(names: Sequence[str]) -> str:
    return f" GROUP BY {', '.join(names)}" if names else ""


def _same(names: Sequence[str], one: str, other: str) -> str:
    """Whether two rows are of the same group, of which missing is one."""
    return " AND ".join(f"{one}.{name} IS NOT DISTINCT FROM {other}.{name}" for name in names) or "true"

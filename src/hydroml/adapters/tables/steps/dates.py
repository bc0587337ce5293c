"""Rules of the steps on dates and times within a row."""

from zoneinfo import available_timezones

from hydroml.adapters.tables import sql
from hydroml.adapters.tables.builder import Builder
from hydroml.domain.errors import InvalidInputError
from hydroml.domain.sources import Column, ColumnType
from hydroml.domain.studio.recipes import RecipeStep
from hydroml.domain.studio.steps import DateParts, ParseDates
from hydroml.domain.studio.steps.dates import Part

_PARTS = {
    Part.YEAR: "year({0})",
    Part.QUARTER: "quarter({0})",
    Part.MONTH: "month({0})",
    Part.WEEK: "weekofyear({0})",
    Part.DAY: "day({0})",
    Part.DAY_OF_YEAR: "dayofyear({0})",
    Part.DAY_OF_WEEK: "isodow({0})",
    Part.HOUR: "hour({0}::TIMESTAMP)",
    Part.MINUTE: "minute({0}::TIMESTAMP)",
    Part.SEASON_SINE: "sin(2 * pi() * (dayofyear({0}) - 1) / 365.25)",
    Part.SEASON_COSINE: "cos(2 * pi() * (dayofyear({0}) - 1) / 365.25)",
}
_REAL = (Part.SEASON_SINE, Part.SEASON_COSINE)


def date_parts(builder: Builder, step: DateParts, _: RecipeStep) -> None:
    column = builder.column(step.column, "column")
    if not column.type.is_temporal:
        raise InvalidInputError.at("column", msg=f"“{column.name}” is {column.type}, not a date or time", code="type")
    cell = sql.name(column.name)
    changed, after = {}, column.name
    for at, part in enumerate(step.parts):
        name = f"{column.name}_{part}"
        kind = ColumnType.NUMBER if part in _REAL else ColumnType.INTEGER
        builder.put(Column(name, kind), "parts", at, new=True, after=after)
        after = name
        if part is Part.WATER_YEAR:
            value = f"(year({cell}) + (month({cell}) >= {step.water_year_month})::BIGINT)"
        else:
            value = _PARTS[part].format(cell)
        changed[name] = f"{value}::{sql.sql_type(kind)}"
    builder.add(step.summary(), changed)


def parse_dates(builder: Builder, step: ParseDates, _: RecipeStep) -> None:
    columns = [builder.column(name, "columns", at) for at, name in enumerate(step.columns)]
    moment = _moment(step, columns)
    if step.to == "date":
        moment = f"({moment})::DATE"
    elif step.time_zone is not None:
        if step.time_zone not in available_timezones():
            raise InvalidInputError.at("time_zone", msg="a zone is named like Europe/Berlin", code="unknown_zone")
        zone = sql.text(step.time_zone)
        utc = f"(({moment}) AT TIME ZONE {zone})"
        # A time that clocks pass over comes back as another one.
        moment = f"CASE WHEN ({utc} AT TIME ZONE {zone}) = ({moment}) THEN ({utc} AT TIME ZONE 'UTC') END"
    if not step.keep:
        first = builder.columns.index(columns[0])
        before = [column.name for column in builder.columns[:first] if column not in columns]
        builder.columns = [column for column in builder.columns if column not in columns]
        place = {"after": before[-1]} if before else {}
        builder.put(Column(step.name, ColumnType(step.to)), "name", new=True, **place)
        if not before:
            builder.columns.insert(0, builder.columns.pop())
    else:
        builder.put(Column(step.name, ColumnType(step.to)), "name", new=True, after=columns[-1].name)
    builder.add(step.summary(), {step.name: moment})


def _moment(step: ParseDates, columns: list[Column]) -> str:
    """A timestamp, or NULL."""
    if not step.formats and len(columns) == 1:
        column = columns[0]
        cell = sql.name(column.name)
        if column.type.is_temporal:
            return f"{cell}::TIMESTAMP"
        return f"TRY_CAST(trim({cell}::VARCHAR) AS TIMESTAMP)"
    if not step.formats:
        parts = [f"TRY_CAST(trim({sql.name(column.name)}::VARCHAR) AS BIGINT)" for column in columns]
        while len(parts) < 3:
            parts.append("1")
        year, month, day, *clock = parts
        clock += ["0"] * (3 - len(clock))
        known = " AND ".join(f"{part} IS NOT NULL" for part in parts)
        date = f"printf('%04d-%02d-%02d %02d:%02d:%02d', {year}, {month}, {day}, {', '.join(clock)})"
        return f"CASE WHEN {known} THEN TRY_CAST({date} AS TIMESTAMP) END"
    cells = [f"trim({sql.name(column.name)}::VARCHAR)" for column in columns]
    text = cells[0]
    if len(cells) > 1:
        known = " AND ".join(f"{sql.name(column.name)} IS NOT NULL" for column in columns)
        text = f"CASE WHEN {known} THEN concat_ws(' ', {', '.join(cells)}) END"
    tried = ", ".join(f"try_strptime({text}, {sql.text(one)})" for one in step.formats)
    return f"coalesce({tried})" if len(step.formats) > 1 else tried

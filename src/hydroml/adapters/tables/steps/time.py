"""Rules of seasonal decomposition and of time zones."""

from hydroml.adapters.tables import sql
from hydroml.adapters.tables.builder import Builder
from hydroml.adapters.tables.steps.shapes import PLACE, chosen, placed
from hydroml.domain.errors import InvalidInputError
from hydroml.domain.sources import Column, ColumnType
from hydroml.domain.studio.recipes import RecipeStep
from hydroml.domain.studio.steps import ConvertTimeZone, SeasonalDecompose


def seasonal_decompose(builder: Builder, step: SeasonalDecompose, _: RecipeStep) -> None:
    column = builder.column(step.column, "column")
    if not column.type.is_numeric:
        raise InvalidInputError.at(
            "column", msg=f"“{column.name}” is {column.type}; a decomposition needs numbers", code="type"
        )
    groups = [sql.name(group.name) for group in chosen(builder, step.groups, "groups")]
    order = f"{sql.name(builder.column(step.order, 'order').name)} NULLS LAST, {PLACE}" if step.order else PLACE
    parts = [Column(f"{column.name}_{part}", ColumnType.NUMBER) for part in ("trend", "seasonal", "residual")]
    for part in parts:
        builder.must_be_free(part.name, "column")
    # Names that no column of the table has.
    x, n, trend, left, spot, season, seasonal = (
        f'"__hydroml_{part}"' for part in ("x", "n", "trend", "left", "spot", "season", "seasonal")
    )
    each = f"PARTITION BY {', '.join(groups)} " if groups else ""
    numbered = (
        f"SELECT *, row_number() OVER ({each}ORDER BY {order}) - 1 AS {n}, {_value(step)} AS {x}"
        f" FROM ({placed(builder)})"
    )
    averaged = f"SELECT *, {_centred(step.period, x, f'{each}ORDER BY {n}')} AS {trend} FROM ({numbered})"
    apart, times = ("-", "+") if step.model == "additive" else ("/", "*")
    detrended = f"SELECT *, {x} {apart} {trend} AS {left}, {n} % {step.period} AS {spot} FROM ({averaged})"
    spots = ", ".join([*groups, spot])
    seasons = f"SELECT *, favg({left}) OVER (PARTITION BY {spots}) AS {season} FROM ({detrended})"
    # The season of each place in the period once: of the first row that stands there.
    once = f"CASE WHEN {n} < {step.period} THEN {season} END"
    centre = f"CASE WHEN count({once}) OVER ({each}) = {step.period} THEN favg({once}) OVER ({each}) END"
    centred = f"SELECT *, {season} {apart} {centre} AS {seasonal} FROM ({seasons})"
    made = zip(parts, (trend, seasonal, f"{x} {apart} ({trend} {times} {seasonal})"), strict=True)
    cells = [f"nullif({text}, 'nan'::DOUBLE) AS {sql.name(part.name)}" for part, text in made]
    kept = sql.names(c.name for c in builder.columns)
    select = f"SELECT {PLACE}, {kept}, {', '.join(cells)} FROM ({centred})"
    builder.replace(step.summary(), select, [*builder.columns, *parts], [PLACE])


def _value(step: SeasonalDecompose) -> str:
    cell = sql.name(step.column)
    if step.model == "additive":
        return f"{cell}::DOUBLE"
    told = f"error('the multiplicative model needs values above 0, and there is ' || {cell} || '; take the additive')"
    return f"CASE WHEN {cell} <= 0 THEN {told}::DOUBLE ELSE {cell}::DOUBLE END"


def _centred(period: int, x: str, window: str) -> str:
    """The moving average over a period; over an even one, both ends count half."""
    half = period // 2

    def over(before: int, after: int) -> str:
        return f"OVER ({window} ROWS BETWEEN {before} PRECEDING AND {after} FOLLOWING)"

    full = over(half, half)
    average = f"favg({x}) {full}"
    if period % 2 == 0:
        average = f"(favg({x}) {over(half, half - 1)} + favg({x}) {over(half - 1, half)}) / 2"
    return f"CASE WHEN count({x}) {full} = {2 * half + 1} THEN {average} END"


def convert_time_zone(builder: Builder, step: ConvertTimeZone, _: RecipeStep) -> None:
    column = builder.column(step.column, "column")
    if column.type is not ColumnType.TIMESTAMP:
        raise InvalidInputError.at(
            "column", msg=f"“{column.name}” is {column.type}; time zones are of timestamps", code="type"
        )
    for place, zone in (("source", step.source), ("target", step.target)):
        _must_exist(builder, zone, place)
    time = f"{sql.name(column.name)}::TIMESTAMP"
    before, after = (_at_offset(time, f"({time} {sign} to_days(1))", step.source) for sign in "-+")
    fits, fits_too = (f"({_clock(moment, step.source)} = {time})" for moment in (before, after))
    both = f"{'least' if step.overlap == 'earlier' else 'greatest'}({before}, {after})"
    moment = f"CASE WHEN {fits} AND {fits_too} THEN {both} WHEN {fits_too} THEN {after} ELSE {before} END"
    into = step.into or step.column
    made = {into: _clock(f"({moment})", step.target)}
    if into != step.column:
        builder.must_be_free(into, "into")
        builder.columns.append(Column(into, ColumnType.TIMESTAMP, column.nullable))
    if step.flag:
        builder.must_be_free(step.flag, "flag")
        builder.columns.append(Column(step.flag, ColumnType.TEXT))
        made[step.flag] = (
            f"CASE WHEN {fits} AND {fits_too} AND {before} <> {after} THEN 'overlap'"
            f" WHEN NOT {fits} AND NOT {fits_too} THEN 'gap' END"
        )
    builder.add(step.summary(), made)


def _must_exist(builder: Builder, zone: str, place: str) -> None:
    try:
        builder.types.of(_clock("TIMESTAMP '2000-01-01'", zone), builder.columns, place)
    except InvalidInputError:
        raise InvalidInputError.at(
            place, msg=f"there is no time zone “{zone}”; names are such as Europe/Paris, Etc/GMT-1 or UTC", code="zone"
        ) from None


def _clock(moment: str, zone: str) -> str:
    """What the clock of the zone shows at a moment of UTC."""
    return moment if zone == "UTC" else f"timezone({sql.text(zone)}, timezone('UTC', {moment}))"


def _at_offset(time: str, moment: str, zone: str) -> str:
    """The moment of UTC at which the clock shows the time, if the offset is that of another moment."""
    return f"({time} - ({_clock(moment, zone)} - {moment}))"

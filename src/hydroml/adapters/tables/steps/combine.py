"""Rules of the steps that bring another table together with the one at hand."""

from collections.abc import Sequence

from hydroml.adapters.tables import sql
from hydroml.adapters.tables.builder import Builder
from hydroml.adapters.tables.steps.shapes import PLACE, as_common, common_type, must_differ, placed
from hydroml.domain.errors import InvalidInputError
from hydroml.domain.sources import Column, ColumnType, Table
from hydroml.domain.studio.recipes import RecipeStep
from hydroml.domain.studio.steps import Append, Join, JoinKey, JoinKind, JoinNearest, NearestDirection

OTHER = '"__hydroml_other"'
"""A row's place in the other table."""
_AXIS = '"__hydroml_axis"'
_COPIES = '"__hydroml_copies"'


def join(builder: Builder, step: Join, entry: RecipeStep) -> None:
    source, table = builder.input(entry, 0, "version")
    left, right, kinds = key_cells(builder.columns, table, step.on, "on")
    on = " AND ".join(f"l.{key_name(at)} = r.{key_name(at)}" for at in range(len(step.on)))
    mine = f"SELECT *, {named_keys(left)} FROM ({placed(builder)})"
    if step.how in (JoinKind.SEMI, JoinKind.ANTI):
        there = "EXISTS" if step.how is JoinKind.SEMI else "NOT EXISTS"
        theirs = f"SELECT {named_keys(right)} FROM {source}"
        select = f"SELECT * FROM ({mine}) l WHERE {there} (SELECT 1 FROM ({theirs}) r WHERE {on})"
        builder.replace(step.summary(), select, builder.columns, [PLACE])
        return
    brought = _brought(table, step.on, step.bring)
    names = _free_names(builder.columns, brought, step.suffix)
    cells = [f"{sql.name(column.name)} AS {sql.name(name)}" for column, name in zip(brought, names, strict=True)]
    theirs = f"SELECT {', '.join([f'{sql.name(sql.ROW)} AS {OTHER}', *cells, named_keys(right)])} FROM {source}"
    if step.expect == "one":
        theirs = _unique(theirs, len(step.on))
    theirs_all, mine_all = step.how in (JoinKind.RIGHT, JoinKind.FULL), step.how in (JoinKind.LEFT, JoinKind.FULL)
    columns, shown = [], []
    by_name = {key.left: at for at, key in enumerate(step.on)}
    for column in builder.columns:
        cell = f"l.{sql.name(column.name)}"
        if theirs_all and column.name in by_name:
            at = by_name[column.name]
            columns.append(Column(column.name, kinds[at]))
            shown.append(f"coalesce(l.{key_name(at)}, r.{key_name(at)}) AS {sql.name(column.name)}")
        else:
            columns.append(Column(column.name, column.type, column.nullable or theirs_all))
            shown.append(cell)
    for column, name in zip(brought, names, strict=True):
        columns.append(Column(name, column.type, column.nullable or mine_all))
        shown.append(f"r.{sql.name(name)}")
    must_differ(columns, "suffix")
    select = f"SELECT l.{PLACE}, r.{OTHER}, {', '.join(shown)} FROM ({mine}) l {step.how} JOIN ({theirs}) r ON {on}"
    builder.replace(step.summary(), select, columns, [f"{PLACE} NULLS LAST", f"{OTHER} NULLS LAST"])


def key_cells(
    columns: Sequence[Column], table: Table, keys: Sequence[JoinKey], loc: str
) -> tuple[list[str], list[str], list[ColumnType]]:
    """The keys of both tables as cells of the same type, and which. Raises InvalidInputError at `loc`."""
    left, right, kinds = [], [], []
    for at, key in enumerate(keys):
        one = _column(columns, key.left, "this table", loc, at, "left")
        other = _column(table.columns, key.right, "the other table", loc, at, "right")
        kind = _together(one, other, loc, at)
        left.append(as_common(sql.name(one.name), one.type, kind))
        right.append(as_common(sql.name(other.name), other.type, kind))
        kinds.append(kind)
    return left, right, kinds


def _column(columns: Sequence[Column], name: str, where: str, *loc: str | int) -> Column:
    for column in columns:
        if column.name == name:
            return column
    raise InvalidInputError.at(*loc, msg=f"there is no column “{name[:100]}” in {where}", code="unknown_column")


def _together(one: Column, other: Column, *loc: str | int) -> ColumnType:
    kind = common_type((one.type, other.type))
    if kind is None or kind is ColumnType.DURATION:
        raise InvalidInputError.at(
            *loc,
            msg=f"“{one.name}” is {one.type} and “{other.name}” of the other table is {other.type}: they cannot be"
            " compared; change the type of one of them first",
            code="type",
        )
    return kind


def _brought(table: Table, keys: Sequence[JoinKey], wanted: Sequence[str]) -> list[Column]:
    """The other table's columns that come along: those wanted, or all but the keys."""
    taken = {key.right for key in keys}
    chosen = [_column(table.columns, name, "the other table", "bring", at) for at, name in enumerate(wanted)]
    return [column for column in chosen or table.columns if column.name not in taken]


def key_name(at: int) -> str:
    return f'"__hydroml_key_{at}"'


def named_keys(cells: Sequence[str]) -> str:
    return ", ".join(f"{cell} AS {key_name(at)}" for at, cell in enumerate(cells))


def _free_names(columns: Sequence[Column], brought: Sequence[Column], suffix: str) -> list[str]:
    taken = {column.name.casefold() for column in columns}
    return [f"{c.name}{suffix}" if c.name.casefold() in taken else c.name for c in brought]


def _unique(table: str, keys: int) -> str:
    """The table, failing on keys that occur twice."""
    names = [key_name(at) for at in range(keys)]
    known = " AND ".join(f"{name} IS NOT NULL" for name in names)
    shown = " || ', ' || ".join(f"{name}::VARCHAR" for name in names)
    told = (
        f"error('the key “' || {shown} || '” occurs more than once in the other table; allow several partners of a"
        " row, or leave one of them')"
    )
    counted = f"SELECT *, count(*) OVER (PARTITION BY {', '.join(names)}) AS {_COPIES} FROM ({table})"
    return f"SELECT * FROM ({counted}) WHERE CASE WHEN {known} AND {_COPIES} > 1 THEN {told}::BOOLEAN ELSE true END"


def join_nearest(builder: Builder, step: JoinNearest, entry: RecipeStep) -> None:
    source, table = builder.input(entry, 0, "version")
    found = nearest(builder, step, table, source)
    brought = _brought(table, step.keys, step.bring)
    names = _free_names(builder.columns, brought, step.suffix)
    made = [Column(name, column.type) for column, name in zip(brought, names, strict=True)]
    must_differ([*builder.columns, *made], "suffix")
    cells = [f"{sql.name(c.name)} AS {sql.name(name)}" for c, name in zip(brought, names, strict=True)]
    shown = sql.names(column.name for column in (*builder.columns, *made))
    select = (
        f"WITH {found}, brought AS (SELECT {', '.join([f'{sql.name(sql.ROW)} AS {OTHER}', *cells])} FROM {source})"
        f" SELECT {PLACE}, {shown} FROM mine JOIN found USING ({PLACE}) LEFT JOIN brought USING ({OTHER})"
    )
    if step.keep == "matched":
        select += f" WHERE {OTHER} IS NOT NULL"
    builder.replace(step.summary(), select, [*builder.columns, *made], [PLACE])


def nearest(builder: Builder, step: JoinNearest, table: Table, source: str) -> str:
    """The rows of both tables as CTEs: `mine` with their places, and `found`: of each place the row of the other table,
    `OTHER`, if there is one."""
    left, right, _ = key_cells(builder.columns, table, step.keys, "keys")
    one = _column(builder.columns, step.left, "this table", "left")
    other = _column(table.columns, step.right, "the other table", "right")
    kind = _axis_kind(one, other)
    mine = [f"{PLACE}, {_axis(one, kind)} AS {_AXIS}", *([named_keys(left)] if left else [])]
    theirs = [
        f"{sql.name(sql.ROW)} AS {OTHER}, {_axis(other, kind)} AS {_AXIS}",
        *([named_keys(right)] if right else []),
    ]
    return (
        f"mine AS ({placed(builder)}), l AS (SELECT {', '.join(mine)} FROM mine),"
        f" r AS (SELECT {', '.join(theirs)} FROM {source}), found AS ({_nearest(step, kind, len(step.keys))})"
    )


def _axis_kind(one: Column, other: Column) -> ColumnType:
    for column, place in ((one, "left"), (other, "right")):
        if not (column.type.is_numeric or column.type.is_temporal):
            raise InvalidInputError.at(
                place, msg=f"“{column.name}” is {column.type}; choose a time or a number", code="type"
            )
    return _together(one, other, "right")


def _axis(column: Column, kind: ColumnType) -> str:
    """A cell in units whose differences are exact: times as microseconds."""
    cell = sql.name(column.name)
    if kind.is_temporal:
        return f"epoch_us({cell}::TIMESTAMP)"
    return f"{cell}::HUGEINT" if kind is ColumnType.INTEGER else as_common(cell, column.type, kind)


def _nearest(step: JoinNearest, kind: ColumnType, keys: int) -> str:
    """For each row its place and that of the row of the other table, if there is one."""
    names = [key_name(at) for at in range(keys)]
    on = "".join(f" AND l.{name} = r.{name}" for name in names)
    spots = ", ".join([*names, _AXIS])

    def asof(pick: str, relation: str) -> str:
        spot = f"SELECT {spots}, {pick}({OTHER}) AS {OTHER} FROM r GROUP BY {spots}"
        return (
            f"SELECT l.{PLACE}, r.{OTHER}, abs(l.{_AXIS} - r.{_AXIS}) AS away"
            f" FROM l ASOF LEFT JOIN ({spot}) r ON l.{_AXIS} {relation} r.{_AXIS}{on}"
        )

    before, after = asof("max", ">="), asof("min", "<=")
    if step.direction is NearestDirection.BACKWARD:
        found = before
    elif step.direction is NearestDirection.FORWARD:
        found = after
    else:
        nearer = "a.away IS NULL OR b.away <= a.away"
        found = (
            f"SELECT b.{PLACE}, CASE WHEN {nearer} THEN b.{OTHER} ELSE a.{OTHER} END AS {OTHER},"
            f" CASE WHEN {nearer} THEN b.away ELSE a.away END AS away"
            f" FROM ({before}) b JOIN ({after}) a USING ({PLACE})"
        )
    if step.tolerance is None:
        return found
    limit = step.tolerance * (step.unit.seconds * 1_000_000 if kind.is_temporal else 1)
    return f"SELECT {PLACE}, CASE WHEN away <= {limit!r}::DOUBLE THEN {OTHER} END AS {OTHER} FROM ({found})"


def append(builder: Builder, step: Append, entry: RecipeStep) -> None:
    source, table = builder.input(entry, 0, "version")
    pairs = _pairs(builder.columns, table, step)
    columns: list[Column] = []
    mine: list[str] = []
    theirs: list[str] = []
    for one, other in pairs:
        known = [column for column in (one, other) if column is not None]
        kind = known[0].type if len(known) == 1 else common_type(column.type for column in known)
        if kind is None:
            kinds = f"{known[0].type} here and {known[1].type} in the other table"
            raise InvalidInputError.at(
                "version", msg=f"“{known[0].name}” is {kinds}; change the type of one of them first", code="type"
            )
        columns.append(Column(known[0].name, kind, any(c is None or c.nullable for c in (one, other))))
        for column, cells in ((one, mine), (other, theirs)):
            cell = "NULL" if column is None else as_common(sql.name(column.name), column.type, kind)
            cells.append(f"{cell} AS {sql.name(known[0].name)}")
    if step.source_column:
        columns.append(Column(step.source_column, ColumnType.TEXT, nullable=False))
        for cells, label in ((mine, step.label), (theirs, step.other_label)):
            cells.append(f"{sql.text(label)} AS {sql.name(step.source_column)}")
    must_differ(columns, "source_column" if step.source_column else "version")
    select = (
        f"SELECT 1 AS {OTHER}, {PLACE}, {', '.join(mine)} FROM ({placed(builder)}) UNION ALL"
        f" SELECT 2, {sql.name(sql.ROW)}, {', '.join(theirs)} FROM {source}"
    )
    builder.replace(step.summary(), select, columns, [OTHER, PLACE])


def _pairs(columns: Sequence[Column], table: Table, step: Append) -> list[tuple[Column | None, Column | None]]:
    """Which column of the other table comes below which."""
    if step.by == "name":
        others = _renamed(columns, table, step)
        names = {column.name for column in columns}
        added = [(None, column) for name, column in others.items() if name not in names]
        return [*((column, others.get(column.name)) for column in columns), *added]
    if len(columns) != len(table.columns):
        raise InvalidInputError.at(
            "version",
            msg=f"this table has {len(columns)} columns and the other {len(table.columns)}; append by name instead",
            code="length",
        )
    return list(zip(columns, table.columns, strict=True))


def _renamed(columns: Sequence[Column], table: Table, step: Append) -> dict[str, Column]:
    """The other table's columns by the names they have here."""
    here = {}
    for at, pair in enumerate(step.pairs):
        here[_column(table.columns, pair.right, "the other table", "pairs", at, "right").name] = _column(
            columns, pair.left, "this table", "pairs", at, "left"
        ).name
    others: dict[str, Column] = {}
    for column in table.columns:
        name = here.get(column.name, column.name)
        if name in others:
            raise InvalidInputError.at(
                "pairs", msg=f"two columns of the other table would come below “{name[:100]}”", code="duplicate"
            )
        others[name] = column
    return others

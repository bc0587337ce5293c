"""Texts and numbers that seem to stand for missing values: words in columns of numbers, and codes such as -9999."""

from collections.abc import Sequence

from hydroml.adapters.tables import sql
from hydroml.adapters.tables.connection import Connection
from hydroml.adapters.tables.reading.kinds import Decision, Raw
from hydroml.domain.sources import ColumnType, ProposedMarker

_CODES = (-99999, -9999, -999.9, -999, -99.9, -99, -88, -8888, 999, 9999, 99999, 999999)
_AT_ONCE = 50
_FAR = 0.5
"""How far beyond the other values a code has to lie, as a share of their range."""


def proposed(
    connection: Connection, raw: Raw, names: Sequence[str], decisions: Sequence[Decision]
) -> tuple[ProposedMarker, ...]:
    """What an import of these rows applies, or somebody may want to name."""
    found: dict[str, tuple[list[str], int, bool]] = {}
    columns = [
        (column, name, decision)
        for column, name, decision in zip(raw.columns, names, decisions, strict=True)
        if decision.type is not ColumnType.TEXT
    ]
    for at in range(0, len(columns), _AT_ONCE):
        some = columns[at : at + _AT_ONCE]
        numeric = [(nth, column, d) for nth, (column, _, d) in enumerate(some) if d.type.is_numeric]
        marks = _words(connection, raw, [column for column, _, _ in some])
        marks += _codes(connection, raw, numeric) if numeric else []
        for nth, text, cells, applied in sorted(marks, key=lambda mark: (mark[0], not mark[3])):
            known = found.setdefault(text, ([], 0, applied))
            known[0].append(some[nth][1])
            found[text] = (known[0], known[1] + cells, known[2] and applied)
    return tuple(
        ProposedMarker(text, tuple(columns), cells, applied) for text, (columns, cells, applied) in found.items()
    )


_Marks = list[tuple[int, str, int, bool]]
"""The number of the column, the text, how many cells hold it, and whether an import takes it as missing."""


def _words(connection: Connection, raw: Raw, columns: Sequence[str]) -> _Marks:
    if raw.missing is not None:
        named = ", ".join(sql.text(marker) for marker in raw.missing)
        condition = f"list_contains([{named}], t)" if named else "false"
    else:
        condition = f"t <> '' AND {raw.is_marker('t')}"
    cells = ", ".join(f"trim({column})" for column in columns)
    rows = connection.rows(
        f"SELECT nth, t, count(*) FROM (SELECT unnest([{cells}]) AS t, unnest(range({len(columns)})) AS nth"
        f" FROM {raw.source}) WHERE {condition} GROUP BY 1, 2 ORDER BY 1, 2"
    )
    return [(nth, text, count, True) for nth, text, count in rows]


def _codes(connection: Connection, raw: Raw, columns: Sequence[tuple[int, str, Decision]]) -> _Marks:
    codes = ", ".join(str(code) for code in _CODES)
    texts = ", ".join(f"trim({column})" for _, column, _ in columns)
    values = ", ".join(f"({decision.read})::DOUBLE" for _, _, decision in columns)
    numbers = ", ".join(str(nth) for nth, _, _ in columns)
    rows = connection.rows(
        f"WITH cells AS (SELECT unnest([{texts}]) AS t, unnest([{values}]) AS x, unnest([{numbers}]) AS nth"
        f" FROM {raw.source}), others AS (SELECT nth, min(x) AS low, max(x) AS high FROM cells"
        f" WHERE x NOT IN ({codes}) GROUP BY nth)"
        " SELECT nth, t, x, count(*), any_value(low), any_value(high) FROM cells JOIN others USING (nth)"
        f" WHERE x IN ({codes}) GROUP BY 1, 2, 3 ORDER BY 1, 2"
    )
    return [
        (nth, text, count, False)
        for nth, text, value, count, low, high in rows
        if low is not None and not low - _FAR * (high - low) <= value <= high + _FAR * (high - low)
    ]

"""A recipe as a Python program that needs DuckDB alone."""

from collections.abc import Sequence
from pathlib import PurePath

from hydroml.adapters.tables import sql
from hydroml.adapters.tables.builder import Plan
from hydroml.domain.sources import Column, ColumnType

_HEAD = '''"""Made by HydroML: reads {filename} and writes result.parquet, the table after the steps below.

Needs Python and DuckDB (pip install "duckdb>=2"). Run it where the file is: python program.py [file] [result]
"""

import sys

import duckdb

source = sys.argv[1] if len(sys.argv) > 1 else {filename!r}
result = sys.argv[2] if len(sys.argv) > 2 else "result.parquet"

connection = duckdb.connect()
connection.execute("SET TimeZone = 'UTC'")

# The table as it was, with the number of each row.
table = """
{source}
""".replace("$source", "'" + source.replace("'", "''") + "'")

# What was done to it.
steps = [
    ("source", table),
'''
_STEP = '''    # {comment}
    (
        "{name}",
        """
{select}
        """,
    ),
'''
_TAIL = '''
query = "WITH " + ", ".join(f"{{name}} AS ({{select}})" for name, select in steps) + """
{final}
"""
connection.execute("CREATE TABLE result AS " + query)
connection.execute("COPY result TO '" + result.replace("'", "''") + "' (FORMAT parquet, COMPRESSION zstd)")
print(connection.execute("SELECT count(*) FROM result").fetchall()[0][0], "rows written to", result)
'''


def python_program(plan: Plan, columns: Sequence[Column], filename: str) -> str:
    """The same SELECTs that the engine runs, one for each step."""
    name = PurePath(filename).name or "table.parquet"
    parts = [_HEAD.format(filename=_plain(name), source=_text(_source(columns, name)))]
    for at, table in enumerate(plan.inputs, start=1):
        file = f"{table.blob[:12]}.parquet"
        other = _text(_source(table.columns, file, sql.text(file)))
        parts.append(_STEP.format(comment="another table", name=f"input_{at}", select=other))
    parts += [
        _STEP.format(comment=_comment(stage.comment), name=stage.name, select=_text(stage.select))
        for stage in plan.stages
    ]
    order = ", ".join(plan.order)
    final = f"SELECT {sql.names(c.name for c in plan.columns)} FROM {plan.last} ORDER BY {order}"
    return "".join(parts) + "]\n" + _TAIL.format(final=_text(final))


def _source(columns: Sequence[Column], filename: str, place: str = "$source") -> str:
    row, cells = sql.name(sql.ROW), sql.names(c.name for c in columns)
    ending = PurePath(filename).suffix.lower()
    if ending in (".csv", ".tsv"):
        delimiter = "\t" if ending == ".tsv" else ","
        types = ", ".join(f"{sql.text(c.name)}: '{_csv_type(c)}'" for c in columns)
        form = f"header = true, delim = '{delimiter}', quote = '\"', escape = '\"'"
        read = f"read_csv({place}, {form}, columns = {{{types}}})"
        return f"SELECT row_number() OVER () - 1 AS {row}, {cells} FROM {read}"
    return f"SELECT file_row_number AS {row}, {cells} FROM read_parquet({place}, file_row_number = true)"


def _csv_type(column: Column) -> str:
    return "DECIMAL(38, 9)" if column.type is ColumnType.DECIMAL else sql.sql_type(column.type)


def _plain(text: str) -> str:
    """Safe between the quotes of a docstring."""
    return text.replace("\\", "/").replace('"', "'")


def _comment(text: str) -> str:
    return " ".join(text.split())


def _text(query: str) -> str:
    """SQL between triple quotes."""
    escaped = query.replace("\\", "\\\\").replace('"""', '\\"\\"\\"')
    return escaped + " " if escaped.endswith('"') else escaped

"""Formulas that want more than the columns of their table; queries that do are in test_queries.py."""

import re

import duckdb
import pytest
import sqlglot
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hydroml.adapters.tables.faults import words
from hydroml.adapters.tables.formulas import compile_formula
from hydroml.adapters.tables.grammar import Grammar
from hydroml.adapters.tables.text_sizes import TOO_LONG
from hydroml.domain.errors import InvalidInputError
from hydroml.domain.sources import Column, ColumnType
from tests.integration.tables.test_queries import expressions

COLUMNS = (Column("site", ColumnType.TEXT), Column("area", ColumnType.INTEGER))
HOSTILE = [
    "", ";", "site; DROP TABLE x", "SELECT 1", "(SELECT 1)", "EXISTS (SELECT 1)", "site IN (SELECT site FROM x)",
    "read_csv('/etc/passwd')", "read_text('/etc/passwd')", "read_parquet('*')", "glob('*')", "sniff_csv('x')",
    "read_text('http://169.254.169.254/')", "getenv('HOME')", "current_setting('temp_directory')", "current_user",
    "version()", "getvariable('x')", "query('SELECT 1')", "duckdb_settings()", "pragma_version()",
    "nextval('x')", "set_config('x', 'y')", "write_log('x')", "error('x')", "pg_sleep(10)", "sleep_ms(9999)",
    "json_execute_serialized_sql('x')", "now()", "random()", "uuid()", "__import__('os')", "my_python_udf(site)",
    "site::BLOB", "'1'::JSON", "site::INTEGER[]", "CAST(site AS STRUCT(a INTEGER))", "[1, 2]", "{'a': 1}",
    "MAP {'a': 1}", "x -> x + 1", "list_transform([1], x -> x)", "unnest([1])", "range(1000000000)",
    "generate_series(1, 1000000000000)", "repeat('x', 1000000000)", "lpad('x', 1000000000, 'x')", "COLUMNS('.*')",
    "COLUMNS(*)", "*", "main.site", "information_schema.tables", "pg_catalog.pg_class", "__hydroml_row", "rowid",
    "filename", "$1", "?", "@x", "x'41'", "E'\\'' || read_text('x')", "$$x$$ || read_text('x')", "site /* open",
    "'open", '"open', "site\x00", "\uff53ite", "\u202esite", "site -- ;\n; SELECT 1", "sum(area)", "lag(area)",
    "sum(sum(area) OVER ()) OVER ()", "9" * 400, "1e" + "9" * 20, "(" * 500 + "1" + ")" * 500,
    "NOT " * 900 + "true", "area" + " + 1" * 990, "replace(" * 12 + "site" + ", 'a', 'aaaaaaaaaa')" * 12, "x" * 9_000,
]  # fmt: skip


@pytest.mark.parametrize("attack", HOSTILE, ids=[f"{at}: {text[:30]!r}" for at, text in enumerate(HOSTILE)])
def test_formula_reaches_nothing_but_its_columns(attack: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        compile_formula(attack, COLUMNS)
    assert caught.value.faults[0].loc == ("formula",)


@pytest.mark.parametrize("around", ["array[({})]", "SELECT x FROM a, LATERAL ({} + 1)", "row({})", "time({})"])
def test_what_is_refused_is_read_once_too(around: str) -> None:
    """Read twice at each level, it would never come to an end."""
    attack = "site"
    for _ in range(28):
        attack = around.format(attack)
    with pytest.raises(InvalidInputError):
        compile_formula(attack, COLUMNS)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.one_of(expressions, st.text(max_size=40)))
def test_what_is_accepted_is_written_so_that_it_is_read_the_same(formula: str) -> None:
    try:
        written = compile_formula(formula, COLUMNS, order=()).sql
    except InvalidInputError:
        return
    (again,) = sqlglot.parse(written, read="duckdb")
    assert again is not None
    assert sqlglot.parse_one(again.sql("duckdb"), read="duckdb") == again
    assert not list(again.find_all(sqlglot.exp.Query))
    assert {column.name for column in again.find_all(sqlglot.exp.Column)} <= {"site", "area"}
    assert sqlglot.parse_one(written, read=Grammar) is not None


@pytest.mark.parametrize(
    ("formula", "fits", "too_much"),
    [
        ("site || '-' || (site)", 120_000, 130_000),
        ("concat(upper(site), site, area)", 120_000, 130_000),
        ("concat_ws(', ', site, area, site)", 120_000, 130_000),
        ("replace(site, 'ab', 'abc')", 160_000, 170_000),
        ("replace(replace(site, 'a', 'xx'), 'b', 'yy')", 60_000, 130_000),
        ("regexp_replace(site, '', 'abcdefghijklmnop')", 14_000, 15_000),
        ("regexp_replace(site, '(.*)', '\\1\\1\\1')", 35_000, 36_000),
        ("replace(site, 'a', site)", 490, 510),
        ("'replace' || site", 249_900, 250_000),
        ("'regexp_replace' || site || 'concat_ws'", 249_900, 250_000),
    ],
)
def test_a_formula_makes_no_text_of_millions_of_characters_whatever_the_cells(
    formula: str, fits: int, too_much: int
) -> None:
    written = compile_formula(formula, COLUMNS, order=()).sql
    plain = re.sub(r"CASE WHEN .*? > 250000 THEN CAST", "CASE WHEN false THEN CAST", written)
    assert plain != written
    table = "(SELECT repeat('ab', {} // 2) AS site, 7 AS area)"
    with duckdb.connect() as connection:
        ((made, expected),) = connection.execute(f"SELECT {written}, {plain} FROM {table.format(fits)}").fetchall()
        assert made == expected
        assert len(made) <= 250_000
        with pytest.raises(duckdb.ConversionException, match="more than 250,000 bytes") as caught:
            connection.execute(f"SELECT {written} FROM {table.format(too_much)}").fetchall()
    assert str(words(caught.value)) == TOO_LONG


@pytest.mark.parametrize("formula", ["replace(site, ',', '.')", "regexp_replace(site, ' +', '')", "upper(site)"])
def test_what_makes_no_text_longer_is_written_as_it_stands(formula: str) -> None:
    assert "CASE" not in compile_formula(formula, COLUMNS, order=()).sql


def test_joined_texts_can_be_grouped_and_divided_by() -> None:
    windowed = "count(*) OVER (PARTITION BY site || '-' || area)"
    written, key = (compile_formula(one, COLUMNS, order=()).sql for one in (windowed, "site || area"))
    with duckdb.connect() as connection:
        table = "(VALUES ('a', 1), ('a', 1), ('b', 1)) AS t(site, area)"
        assert sorted(connection.execute(f"SELECT {written} FROM {table}").fetchall()) == [(1,), (2,), (2,)]
        found = connection.execute(f"SELECT {key}, count(*) FROM {table} GROUP BY {key} ORDER BY {key}").fetchall()
        assert found == [("a1", 2), ("b1", 1)]


def test_missing_cells_stay_what_they_are_in_texts_that_are_joined() -> None:
    with duckdb.connect() as connection:
        for formula, expected in (
            ("site || 'x'", None),
            ("concat(site, 'x')", "x"),
            ("replace(site, 'a', 'bb')", None),
        ):
            written = compile_formula(formula, COLUMNS, order=()).sql
            found = connection.execute(f"SELECT {written} FROM (SELECT NULL::VARCHAR AS site, 1 AS area)").fetchone()
            assert found == (expected,)

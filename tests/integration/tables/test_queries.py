"""Queries: what they mean, where their faults are, and that they reach nothing but their tables and keep to limits."""

import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import pytest
import sqlglot
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hydroml.adapters.storage.folder import FolderBlobStore
from hydroml.adapters.tables import DuckDbTableEngine, querying
from hydroml.adapters.tables.grammar import Grammar
from hydroml.adapters.tables.queries import compile_query
from hydroml.application.ports.tables import QueryResult, View
from hydroml.domain.errors import DomainError, InvalidInputError, TooLargeError
from hydroml.domain.queries import QueryCancelledError
from hydroml.domain.sources import Column, ColumnType, Table, VersionId
from hydroml.domain.studio.recipes import RecipeStep
from hydroml.domain.studio.steps import Derive, Filter, Query, Sort, SortKey
from hydroml.domain.studio.steps.queries import QueriedTable
from tests.tables import QuietMonitor, Workshop

FLOWS = [
    {"site": "b", "day": "2020-01-02", "flow": 4.0},
    {"site": "a", "day": "2020-01-01", "flow": 1.0},
    {"site": "a", "day": "2020-01-02", "flow": None},
    {"site": "b", "day": "2020-01-01", "flow": 2.5},
]
SITES = [{"site": "a", "area": 10}, {"site": "b", "area": 20}, {"site": "c", "area": 30}]


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    """One for all tests: none changes anything."""
    folder = tmp_path_factory.mktemp("queries")
    blobs = FolderBlobStore(folder / "blobs")
    return Workshop(DuckDbTableEngine(blobs, folder / "tmp", 1 << 30, 2), blobs, folder)


@pytest.fixture(scope="module")
def tables(workshop: Workshop) -> Mapping[str, Table]:
    return {"Daily flow": workshop.table(FLOWS), "sites": workshop.table(SITES)}


def run(workshop: Workshop, tables: Mapping[str, Table], text: str, *, limit: int = 100) -> QueryResult:
    this = View(tables["Daily flow"], (RecipeStep(Filter("flow > 1")), RecipeStep(Sort((SortKey("flow"),)))))
    return workshop.engine.query(text, tables, this, limit, QuietMonitor())


@pytest.mark.parametrize(
    ("text", "columns", "rows"),
    [
        ("SELECT 1 + 1", ["1 + 1"], [(2,)]),
        ('SELECT site, flow FROM "Daily flow"', ["site", "flow"], [("b", 4.0), ("a", 1.0), ("a", None), ("b", 2.5)]),
        ("SELECT * FROM this", ["site", "day", "flow"], [("b", "2020-01-01", 2.5), ("b", "2020-01-02", 4.0)]),
        ('FROM "daily FLOW" SELECT count(*)', ["count(*)"], [(4,)]),
        (
            'SELECT s.area, avg(f.flow) AS mean FROM "Daily flow" f JOIN sites s USING (site) GROUP BY s.area',
            ["area", "mean"],
            [(10, 1.0), (20, 3.25)],
        ),
        (
            'SELECT s.site, flow FROM sites s LEFT JOIN "Daily flow" f ON f.site = s.site AND flow > 1 ORDER BY 1, 2',
            ["site", "flow"],
            [("a", None), ("b", 2.5), ("b", 4.0), ("c", None)],
        ),
        (
            'WITH f AS (SELECT site, max(flow) AS top FROM "Daily flow" GROUP BY ALL) SELECT * FROM f WHERE top > 1',
            ["site", "top"],
            [("b", 4.0)],
        ),
        ("WITH sites AS (SELECT site FROM sites LIMIT 1) SELECT * FROM sites", ["site"], [("a",)]),
        (
            "WITH input_1 AS (SELECT 1 AS x) SELECT * FROM input_1, sites WHERE area = 10",
            ["x", "site", "area"],
            [(1, "a", 10)],
        ),
        ("SELECT site FROM sites UNION SELECT 'z'", ["site"], [("a",), ("b",), ("c",), ("z",)]),
        ("SELECT site FROM sites EXCEPT (SELECT site FROM this)", ["site"], [("a",), ("c",)]),
        ("SELECT site FROM sites WHERE site NOT IN (SELECT site FROM this)", ["site"], [("a",), ("c",)]),
        ("SELECT site FROM sites s WHERE EXISTS (SELECT 1 FROM this t WHERE t.site = s.site)", ["site"], [("b",)]),
        ("SELECT (SELECT max(area) FROM sites) AS top", ["top"], [(30,)]),
        ("SELECT 'top ' || (SELECT max(site) FROM sites) AS top", ["top"], [("top c",)]),
        ("SELECT x FROM (SELECT area AS x FROM sites) AS t(x) WHERE x > 10 LIMIT 1 OFFSET 1", ["x"], [(30,)]),
        ("SELECT site FROM sites QUALIFY row_number() OVER (ORDER BY area DESC) = 1", ["site"], [("c",)]),
        ("SELECT * EXCLUDE (area) FROM sites", ["site"], [("a",), ("b",), ("c",)]),
        ("SELECT sum(area) FILTER (WHERE area > 10) AS s FROM sites", ["s"], [("50",)]),
        ("SELECT DISTINCT site FROM this", ["site"], [("b",)]),
        ("SELECT a.site, b.site FROM sites a, sites b WHERE a.area < b.area - 10", ["site", "site_2"], [("a", "c")]),
        ("SELECT area / 0 AS x FROM sites WHERE area = 10", ["x"], [(None,)]),
        ("SELECT count(DISTINCT site) AS n -- all of them\nFROM sites", ["n"], [(3,)]),
    ],
)
def test_query_means_what_it_says(
    workshop: Workshop, tables: Mapping[str, Table], text: str, columns: list[str], rows: list[tuple[object, ...]]
) -> None:
    found = run(workshop, tables, text)
    assert [column.name for column in found.columns] == columns
    assert list(found.rows) == rows
    assert (found.total, found.truncated) == (len(rows), False)


def test_only_the_first_rows_come(workshop: Workshop, tables: Mapping[str, Table]) -> None:
    found = run(workshop, tables, "SELECT site FROM sites", limit=2)
    assert (found.rows, found.total, found.truncated) == ((("a",), ("b",)), None, True)
    assert found.used == ("sites",)


def test_query_is_written_as_a_table(workshop: Workshop, tables: Mapping[str, Table], tmp_path: Path) -> None:
    out = tmp_path / "out.parquet"
    written = workshop.engine.write_query(
        "SELECT site, area * 2 AS twice FROM sites", tables, None, out, QuietMonitor()
    )
    assert (written.columns, written.rows) == (
        (Column("site", ColumnType.TEXT, nullable=False), Column("twice", ColumnType.INTEGER, nullable=False)),
        3,
    )


def test_query_as_a_step(workshop: Workshop, tables: Mapping[str, Table]) -> None:
    text = (
        "SELECT t.site, s.area, sum(t.flow) AS total FROM this t JOIN sites s USING (site) GROUP BY ALL ORDER BY total"
    )
    step = Query(text, (QueriedTable("sites", VersionId(uuid4())),))
    recipe = (
        RecipeStep(Derive("flow", "coalesce(flow, 0)")),
        RecipeStep(step, inputs=(tables["sites"],)),
        RecipeStep(Filter("area > 10")),
    )
    page = workshop.engine.page(View(tables["Daily flow"], recipe), 0, 10)
    assert page.rows == (("b", 20, 6.5),)
    with pytest.raises(InvalidInputError, match="not in this project"):
        workshop.engine.schema(tables["Daily flow"], (RecipeStep(step),))


HOSTILE = [
    "",
    ";",
    "SELECT",
    "SELECT FROM sites",
    "SELECT 1; SELECT 2",
    "SELECT 1; DROP TABLE sites",
    "COPY sites TO '/tmp/x'",
    "COPY (SELECT 1) TO '/tmp/x'",
    "ATTACH 'x.db'",
    "INSTALL httpfs",
    "LOAD httpfs",
    "PRAGMA version",
    "SET memory_limit = '100GB'",
    "RESET ALL",
    "USE x",
    "CALL pragma_version()",
    "EXPORT DATABASE 'x'",
    "CREATE TABLE x AS SELECT 1",
    "CREATE MACRO f() AS 1",
    "INSERT INTO sites VALUES (1)",
    "DELETE FROM sites",
    "UPDATE sites SET area = 1",
    "DROP TABLE sites",
    "ALTER TABLE sites ADD x INT",
    "TRUNCATE sites",
    "VACUUM",
    "BEGIN",
    "PREPARE p AS SELECT 1",
    "EXECUTE p",
    "EXPLAIN SELECT 1",
    "EXPLAIN ANALYZE SELECT 1",
    "DESCRIBE sites",
    "SHOW TABLES",
    "SUMMARIZE sites",
    "VALUES (1)",
    "SELECT * FROM 'sites.parquet'",
    "SELECT * FROM '/etc/passwd'",
    'SELECT * FROM "/etc/passwd"',
    "SELECT * FROM read_csv('/etc/passwd')",
    "SELECT * FROM read_parquet('*')",
    "SELECT * FROM read_text('/etc/passwd')",
    "SELECT * FROM read_blob('x')",
    "SELECT * FROM glob('*')",
    "SELECT * FROM sniff_csv('x')",
    "SELECT * FROM read_csv_auto('http://169.254.169.254/')",
    "SELECT * FROM parquet_metadata('x')",
    "SELECT * FROM duckdb_settings()",
    "SELECT * FROM duckdb_tables()",
    "SELECT * FROM duckdb_secrets()",
    "SELECT * FROM pragma_table_info('x')",
    "SELECT * FROM query('SELECT 1')",
    "SELECT * FROM query_table('x')",
    "SELECT * FROM range(1000000000)",
    "SELECT * FROM generate_series(1, 1000000000)",
    "SELECT * FROM repeat_row(1)",
    "SELECT unnest([1, 2])",
    "SELECT * FROM unnest([1, 2])",
    "SELECT unnest(range(1000000000))",
    "SELECT * FROM sites, LATERAL (SELECT 1)",
    "SELECT * FROM sites TABLESAMPLE 10%",
    "SELECT * FROM information_schema.tables",
    "SELECT * FROM pg_catalog.pg_tables",
    "SELECT * FROM sqlite_master",
    "SELECT * FROM main.sites",
    "SELECT * FROM memory.main.sites",
    "SELECT * FROM temp.x",
    "SELECT * FROM duckdb_tables",
    "SELECT * FROM other_peoples",
    "SELECT * FROM that",
    "SELECT * FROM source",
    "SELECT * FROM input_1",
    "SELECT * FROM step_1",
    "SELECT * FROM part_1",
    "SELECT sites FROM sites",
    "SELECT s FROM sites s",
    "SELECT __hydroml_row FROM sites",
    'SELECT "__hydroml_row" FROM this',
    "SELECT __hydroml_key_1_1 FROM this",
    "SELECT file_row_number FROM sites",
    "SELECT filename FROM sites",
    "SELECT rowid FROM sites",
    "SELECT site AS __hydroml_row FROM sites",
    "SELECT site AS rowid FROM sites",
    "SELECT this.__hydroml_row FROM this",
    "WITH __hydroml_x AS (SELECT 1) SELECT * FROM __hydroml_x",
    "WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r) SELECT * FROM r",
    "WITH x AS (DELETE FROM sites) SELECT 1",
    "WITH x AS MATERIALIZED (INSERT INTO sites VALUES (1)) SELECT 1",
    "SELECT getenv('HOME')",
    "SELECT current_setting('temp_directory')",
    "SELECT version()",
    "SELECT current_user",
    "SELECT getvariable('x')",
    "SELECT pg_sleep(10)",
    "SELECT sleep_ms(10000)",
    "SELECT now()",
    "SELECT random()",
    "SELECT write_log('x')",
    "SELECT error('x')",
    "SELECT nextval('x')",
    "SELECT json_execute_serialized_sql('x')",
    "SELECT md5('x')",
    "SELECT list(site) FROM sites",
    "SELECT string_agg(site) FROM sites",
    "SELECT histogram(area) FROM sites",
    "SELECT repeat('x', 1000000000)",
    "SELECT lpad('x', 1000000000, 'x')",
    "SELECT {'a': 1}",
    "SELECT [1, 2]",
    "SELECT MAP {'a': 1}",
    "SELECT x -> x + 1",
    "SELECT COLUMNS(*) FROM sites",
    "SELECT COLUMNS('.*') FROM sites",
    "SELECT * REPLACE (1 AS area) FROM sites",
    "SELECT * LIKE 's%' FROM sites",
    "SELECT $1",
    "SELECT ?",
    "SELECT @x",
    "SELECT site::BLOB FROM sites",
    "SELECT site::INTEGER[] FROM sites",
    "SELECT '1'::JSON",
    "SELECT x'41'",
    "SELECT site INTO x FROM sites",
    "SELECT site FROM sites FOR UPDATE",
    "SELECT * FROM sites PIVOT (sum(area) FOR site IN ('a'))",
    "PIVOT sites ON site",
    "SELECT * FROM sites POSITIONAL JOIN sites",
    "SELECT site FROM sites GROUP BY ROLLUP (site)",
    "SELECT site FROM sites LIMIT (SELECT 1)",
    "SELECT site FROM sites LIMIT 10%",
    "SELECT area, row_number() OVER () FROM sites",
    "SELECT sum(sum(area)) FROM sites",
    "SELECT site FROM sites WHERE sum(area) > 1",
    "SELECT site, count(*) FROM sites",
    "SELECT a.x FROM sites a",
    "SELECT site FROM sites a, sites b",
    "SELECT site + 1 FROM sites",
    "SELECT site FROM sites UNION SELECT site, area FROM sites",
    "SELECT site FROM sites WHERE site",
    "SELECT (SELECT site FROM sites)",
    "SELECT regexp_matches(site, '(') FROM sites",
    "SELECT 'unclosed",
    'SELECT "unclosed',
    "SELECT /* unclosed",
    "SELECT 1 /* ; */ ; -- \n DROP TABLE sites",
    "SELECT 1\x00",
    "SELECT \u202e1",
    "SELECT \uff11",
    "SELECT site FROM sites WHERE site = 'a' OR 1=1; --",
    "SELECT $$; DROP TABLE sites; $$ || read_text('x')",
    "SELECT E'\\'' || read_text('x')",
    "SELECT " + "(" * 200 + "1" + ")" * 200,
    "SELECT " + "-" * 5_000 + "1",
    "SELECT " + "NOT " * 4_000 + "true",
    "SELECT 1" + " + 1" * 4_000,
    "SELECT * FROM " + "(SELECT * FROM " * 70 + "sites" + ")" * 70,
    "SELECT 1 " + "UNION SELECT 1 " * 1_500,
    "SELECT " + "clip(" * 55 + "1" + ", 1, 2)" * 55,
    "SELECT " + "replace(" * 12 + "site" + ", 'a', 'aaaaaaaaaa')" * 12 + " FROM sites",
    "SELECT t FROM (SELECT t || t || t || t AS t FROM " * 12 + "(SELECT site AS t FROM sites)" + ")" * 12,
    "WITH "
    + ", ".join(
        f"a{n} AS (SELECT x || x AS x FROM {f'a{n - 1}' if n else '(SELECT site AS x FROM sites)'})" for n in range(40)
    )
    + " SELECT x FROM a39",
    'SELECT site AS "' + "x" * 300 + '" FROM sites',
    "x" * 30_000,
]


@pytest.mark.parametrize(
    "attack", HOSTILE, ids=[f"{at}: {' '.join(text[:40].split())}" for at, text in enumerate(HOSTILE)]
)
def test_query_reaches_nothing_but_its_tables(workshop: Workshop, tables: Mapping[str, Table], attack: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        run(workshop, tables, attack)
    assert caught.value.faults[0].loc == ("sql",)
    assert not re.search(r"read_parquet|/tmp|hydroml_row|LINE 1|\(SELECT", str(caught.value))


@pytest.mark.parametrize(
    "attack",
    [
        "SELECT count(*) FROM big a, big b, big c WHERE a.x * b.x > c.x * 7",
        "SELECT a.x, b.x, c.x FROM big a, big b, big c ORDER BY a.x * b.x % 97, c.x",
        "SELECT median(a.x * b.x) FROM big a, big b, big c GROUP BY a.x % 2",
        "SELECT min(regexp_replace(a.t || b.t, '(a|b|ab)*c', 'x')) FROM big a, big b, big c",
    ],
)
def test_query_ends_at_its_limits(workshop: Workshop, monkeypatch: pytest.MonkeyPatch, attack: str) -> None:
    monkeypatch.setattr(querying, "QUERY_SECONDS", 0.5)
    big = workshop.table([{"x": n, "t": "ab" * 50} for n in range(3_000)])
    with pytest.raises(TooLargeError):
        workshop.engine.query(attack, {"big": big}, None, 10, QuietMonitor())


def test_query_is_cancelled(workshop: Workshop) -> None:
    class Impatient(QuietMonitor):
        @contextmanager
        def interrupting(self, stop: Callable[[], None]) -> Iterator[None]:
            soon = threading.Timer(0.1, stop)
            soon.start()
            yield
            soon.join()

        def report(self, *_: object, **__: object) -> None:
            raise QueryCancelledError

    big = workshop.table([{"x": n} for n in range(3_000)])
    with pytest.raises(QueryCancelledError):
        workshop.engine.query(
            "SELECT count(*) FROM big a, big b, big c WHERE a.x * b.x > c.x * 7", {"big": big}, None, 10, Impatient()
        )


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("SELECT area FROM sitse", "sitse"),
        ("SELECT aera FROM sites", "aera"),
        ("SELECT site, area,\n  sites.nothing\nFROM sites", "nothing"),
        ("SELECT site, count(*) FROM sites", "site"),
        ("SELECT foo(area) FROM sites", "foo(area)"),
        ("SELECT area FROM sites WHERE area >", ">"),
        ("SELECT area FROM read_csv('x')", "read_csv('x')"),
        ("SELECT area FROM sites LIMIT x", "x"),
    ],
)
def test_fault_names_the_part_it_is_about(
    workshop: Workshop, tables: Mapping[str, Table], text: str, part: str
) -> None:
    with pytest.raises(InvalidInputError) as caught:
        run(workshop, tables, text)
    span = caught.value.faults[0].span
    assert span is not None
    assert text[slice(*span)] == part


columns = st.sampled_from(["site", "area", 's."site"', "s.AREA"])
values = st.one_of(
    columns,
    st.integers(-(10**6), 10**6).map(str),
    st.floats(allow_nan=False, allow_infinity=False, min_value=0).map(repr),
    st.text("ab'\";-/*$\\ é\n", max_size=6).map(lambda text: "'" + text.replace("'", "''") + "'"),
    st.just("NULL"),
)
expressions = st.recursive(
    values,
    lambda inner: st.one_of(
        st.tuples(
            inner, st.sampled_from(["+", "-", "*", "/", "=", "<", ">=", "AND", "OR", "||", "IS DISTINCT FROM"]), inner
        ).map(lambda parts: f"({' '.join(parts)})"),
        inner.map(lambda x: f"coalesce({x}, 1)"),
        inner.map(lambda x: f"(NOT {x} IS NULL)"),
        st.tuples(inner, inner, inner).map(lambda x: f"CASE WHEN {x[0]} THEN {x[1]} ELSE {x[2]} END"),
        st.tuples(inner, inner).map(lambda x: f"{x[0]} IN ({x[1]}, 2)"),
        inner.map(lambda x: f"CAST({x} AS VARCHAR)"),
        inner.map(lambda x: f"sum({x}) OVER (PARTITION BY site ORDER BY {x} DESC ROWS 2 PRECEDING)"),
        inner.map(lambda x: f"(SELECT max({x}) FROM sites)"),
    ),
    max_leaves=8,
)
selects = st.builds(
    lambda cells, where, order, limit: f"SELECT {', '.join(cells)} FROM sites AS s{where}{order}{limit}",
    st.lists(st.one_of(expressions, expressions.map(lambda x: f'{x} AS "a b"')), min_size=1, max_size=3),
    st.one_of(st.just(""), expressions.map(lambda x: f" WHERE {x}")),
    st.one_of(st.just(""), expressions.map(lambda x: f" ORDER BY {x} DESC")),
    st.one_of(st.just(""), st.integers(0, 100).map(lambda n: f" LIMIT {n}")),
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.one_of(selects, st.tuples(selects, selects).map(lambda two: f"({two[0]}) UNION ALL ({two[1]})")))
def test_what_is_accepted_is_written_so_that_it_is_read_the_same(text: str) -> None:
    try:
        written = compile_query(text, {"sites": "SELECT site, area FROM known"}).sql
    except InvalidInputError:
        return
    again = sqlglot.parse(written, read="duckdb")
    assert len(again) == 1
    assert again[0].sql("duckdb") == sqlglot.parse_one(again[0].sql("duckdb"), read="duckdb").sql("duckdb")
    assert {table.name for table in again[0].find_all(sqlglot.exp.Table)} == {"known"}


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.text(max_size=60), st.sampled_from(["", "SELECT ", "SELECT site FROM sites ", "SELECT * FROM "]))
def test_any_text_is_read_or_refused(text: str, before: str) -> None:
    try:
        written = compile_query(before + text, {"sites": "SELECT site, area FROM known"}).sql
    except DomainError:
        return
    assert {table.name for table in sqlglot.parse_one(written, read=Grammar).find_all(sqlglot.exp.Table)} <= {"known"}

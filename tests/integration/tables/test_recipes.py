"""Recipes and formulas against people who mean well, and people who do not; and the laws recipes follow."""

import gc
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hydroml.adapters.tables import DuckDbTableEngine
from hydroml.application.ports.tables import View
from hydroml.domain.errors import InvalidInputError, TooLargeError
from hydroml.domain.exports import ExportShape, format_of
from hydroml.domain.sources import ColumnType
from hydroml.domain.studio.recipes import RecipeStep
from hydroml.domain.studio.steps import Derive, DropColumns, FillMethod, FillMissing, Filter, Sort, SortKey, Step
from tests.tables import QuietMonitor, Workshop

ROWS = [
    {"flow": 4, "rain": 0.5, "site": "a", "day": "2020-02-28", "wet": "true"},
    {"flow": None, "rain": -1.5, "site": "b", "day": "2020-02-29", "wet": "false"},
    {"flow": 0, "rain": None, "site": None, "day": None, "wet": None},
]


def result(workshop: Workshop, formula: str) -> list[object]:
    return workshop.column(workshop.table(ROWS), "result", Derive("result", formula))


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ("flow / 0", [None, None, None]),
        ("flow / 8", [0.5, None, 0.0]),
        ("flow // 3", [1, None, 0]),
        ("flow % 0", [None, None, None]),
        ("ln(flow)", [pytest.approx(1.3862943611), None, None]),
        ("sqrt(rain)", [pytest.approx(0.5**0.5), None, None]),
        ("(0 - 8) ** 0.5 + flow", [None, None, None]),
        ("exp(flow * 1000)", [None, None, 1.0]),
        ("RAIN + 1", [1.5, -0.5, None]),
        ("flow * 1.5", [6.0, None, 0.0]),
        ("if(flow > 1, 'high', 'low')", ["high", "low", "low"]),
        ("CASE WHEN site IS NULL THEN 'none' ELSE upper(site) END", ["A", "B", "none"]),
        ("site NOT LIKE 'a%'", [False, True, None]),
        ("site IN ('a', 'c')", [True, False, None]),
        ("flow BETWEEN 1 AND 9", [True, None, False]),
        ("NOT wet OR flow = 0", [False, True, True]),
        ("coalesce(site, 'x') || '-1'", ["a-1", "b-1", "x-1"]),
        ("day + INTERVAL 1 DAY", ["2020-02-29T00:00:00", "2020-03-01T00:00:00", None]),
        ("date_diff('day', day, DATE '2020-03-01')", [2, 1, None]),
        ("day_of_week(day)", [5, 6, None]),
        ("CAST(site AS INTEGER)", [None, None, None]),
        ("number('1.5') + 1 -- a remark", [2.5, 2.5, 2.5]),
        ("is_missing(site)", [False, False, True]),
        ("clip(flow, 1, 3)", [3, None, 1]),
        ("'it''s'", ["it's"] * 3),
    ],
)
def test_formula_means_what_it_says(workshop: Workshop, formula: str, expected: list[object]) -> None:
    assert result(workshop, formula) == expected


def test_every_listed_function_can_be_called(workshop: Workshop) -> None:
    samples = {
        "x": "2.0", "y": "1.0", "digits": "1", "n": "1", "low": "0", "high": "3", "condition": "wet", "text": "'abc'",
        "part": "'b'", "old": "'a'", "new": "'z'", "separator": "'b'", "pattern": "'b'", "group": "0", "start": "1",
        "time": "day", "unit": "'month'", "from": "day", "to": "day", "year": "2020", "month": "2", "day": "3",
        "format": "'%Y'", "filling": "'.'", "share": "0.5", "by": "rain", "otherwise": "0.0",
    }  # fmt: skip
    table = workshop.table(ROWS)
    for function in workshop.engine.functions():
        names = [a.strip() for a in function.signature.partition("(")[2].rstrip(")").split(",") if a.strip(" …")]
        formula = f"{function.name}({', '.join(samples[name] for name in names)})"
        if function.group.startswith("Over "):
            formula += " OVER (ORDER BY rain)"
        columns = workshop.engine.schema(table, (RecipeStep(Derive("result", formula)),))
        assert columns[-1].name == "result", formula


@pytest.mark.parametrize(
    "attack",
    [
        "__import__('os').system('id')",
        "(SELECT 1)",
        "flow IN (SELECT flow FROM source)",
        "EXISTS (SELECT 1)",
        "read_csv('/etc/passwd')",
        "read_text('/etc/passwd')",
        "getenv('HOME')",
        "current_setting('temp_directory')",
        "query('SELECT 1')",
        "1; DROP TABLE source",
        "PRAGMA version",
        "ATTACH 'x.db'",
        "COPY source TO '/tmp/x'",
        "list_transform([1], x -> x)",
        "lambda x: x",
        "sum(flow)",
        "lag(flow)",
        "lag(flow) OVER (PARTITION BY (SELECT 1))",
        "lag(lag(flow) OVER ()) OVER ()",
        "sum(flow) OVER (ORDER BY rain ROWS BETWEEN flow PRECEDING AND CURRENT ROW)",
        "sum(flow) OVER (ORDER BY rain EXCLUDE TIES)",
        "sum(flow) OVER w",
        "$$ ' $$ || lag(site) OVER () || $$ ' $$",
        "list(flow) OVER ()",
        "string_agg(site) OVER ()",
        "count(*)",
        "now()",
        "replace(" * 12 + "site" + ", 'a', 'aaaaaaaaaa')" * 12,
        "lpad(site, 1000000000, 'x')",
        "clip(" * 55 + "flow" + ", 1, 2)" * 55,
        "*",
        "COLUMNS('.*')",
        "$1",
        "?",
        "source.flow",
        "flow) FROM source; --",
        "x'41'",
        "{'a': 1}",
        "[1, 2][1]",
        "flow\x00",
        "(" * 100 + "flow" + ")" * 100,
        "flow" + " + flow" * 560,
        "-" * 3_000 + "flow",
        "NOT " * 900 + "wet",
        "10000000000000000000000",
        "sleep(10)",
        "range(1000000000)",
        "repeat('x', 1000000000)",
        "'unclosed",
    ],
)
def test_formula_reaches_nothing_but_its_row(workshop: Workshop, attack: str) -> None:
    table = workshop.table(ROWS)
    for step, place in ((Derive("x", attack), "formula"), (Filter(attack), "condition")):
        with pytest.raises(InvalidInputError) as caught:
            workshop.engine.schema(table, (RecipeStep(step),))
        assert caught.value.faults[0].loc == (place,)
    with pytest.raises(InvalidInputError) as caught:
        workshop.engine.page(View(table, filter=attack), 0, 1)
    assert caught.value.faults[0].loc == ("filter",)


@pytest.mark.parametrize(
    ("formula", "words"),
    [
        ("flwo + 1", "did you mean “flow”"),
        ("flow + site", "does not work"),
        ("site > 1", "text and integer cannot be compared"),
        ("flow > 'abc'", "“abc” is not a valid"),
        ("lnn(flow)", "did you mean ln"),
        ("ln(flow, 2, 3)", "cannot take 3"),
        ("day - day - site", "does not work"),
        ("flow +", "cannot be read"),
    ],
)
def test_faults_are_told_in_words(workshop: Workshop, formula: str, words: str) -> None:
    with pytest.raises(InvalidInputError, match=words) as caught:
        workshop.engine.schema(workshop.table(ROWS), (RecipeStep(Derive("x", formula)),))
    assert "Binder" not in str(caught.value)
    assert "LINE" not in str(caught.value)


def test_condition_has_to_be_one(workshop: Workshop) -> None:
    with pytest.raises(InvalidInputError, match="not true or false"):
        workshop.engine.schema(workshop.table(ROWS), (RecipeStep(Filter("flow + 1")),))


@pytest.mark.parametrize(
    ("column", "value"), [("flow", 1.5), ("flow", "many"), ("rain", True), ("day", "soon"), ("wet", 1), ("site", 5)]
)
def test_constant_has_to_fit_the_column(workshop: Workshop, column: str, value: object) -> None:
    step = FillMissing((column,), FillMethod.CONSTANT, value)  # type: ignore[arg-type]
    with pytest.raises(InvalidInputError) as caught:
        workshop.engine.schema(workshop.table(ROWS), (RecipeStep(step),))
    assert caught.value.faults[0].loc == ("value",)


def test_mean_of_integers_is_a_number(workshop: Workshop) -> None:
    table = workshop.table([{"n": n, "s": "x"} for n in (1, 2, None)])
    recipe = workshop.learnt(table, FillMissing(("n",), FillMethod.MEAN))
    assert recipe[0].fitted == {"values": {"n": 1.5}}
    assert workshop.engine.schema(table, recipe)[0].type is ColumnType.NUMBER
    assert [row["n"] for row in workshop.view(View(table, recipe))] == [1.0, 2.0, 1.5]


@pytest.mark.parametrize(
    "name", ['say "hi"', "it's", "<b>&amp;</b>", "🌊 flow", "select", "a;b", "100%", "{x}", "a\\b", "$source"]
)
def test_any_name_of_a_column_works_everywhere(workshop: Workshop, name: str) -> None:
    table = workshop.table([{name: 3, "b": 1}, {name: None, "b": 2}, {name: 1, "b": 3}])
    quoted = '"' + name.replace('"', '""') + '"'
    steps = (
        FillMissing((name,), FillMethod.MEDIAN, flag=True),
        Derive("twice", f"{quoted} * 2"),
        Filter(f"{quoted} > 1"),
        Sort((SortKey(name),)),
    )
    assert workshop.column(table, "twice", *steps) == [4.0, 6.0]
    assert workshop.engine.profile(View(table, filter=f"{quoted} = 3")).rows == 1


STEPS: tuple[Step, ...] = (
    FillMissing(("flow",), FillMethod.MEDIAN, flag=True),
    Derive("log", "ln(flow + 1)"),
    Derive("note", "coalesce(site, 'it''s \"$source\" \\\\n')"),
    Filter("rain IS NULL OR rain > -1"),
    FillMissing(("rain",), FillMethod.PREVIOUS),
    Sort((SortKey("site", descending=True), SortKey("flow"))),
    DropColumns(("wet",)),
)


@pytest.mark.parametrize("ending", [".parquet", ".csv"])
def test_exported_program_gives_the_identical_table(workshop: Workshop, ending: str) -> None:
    table = workshop.table(
        [
            {"flow": n % 7 or None, "rain": n % 5 - 0.5 if n % 3 else None, "site": "ab"[n % 2], "wet": n}
            for n in range(50)
        ]
    )
    recipe = workshop.learnt(table, *STEPS)
    expected, given_, result_ = (workshop.folder / f"{name}{end}" for name, end in
                                 (("expected", ".parquet"), ("table", ending), ("result", ".parquet")))  # fmt: skip
    workshop.engine.materialise(table, recipe, expected, QuietMonitor())
    with workshop.blobs.local(table.blob) as file:
        workshop.engine.export(file, ExportShape(format_of(given_.name)), given_, QuietMonitor())
    program = workshop.folder / "program.py"
    program.write_text(workshop.engine.python(recipe, table.columns, f'my {ending} """ \'file\'{ending}'))
    subprocess.run([sys.executable, program, given_, result_], check=True, capture_output=True, cwd=workshop.folder)
    read = [duckdb.sql(f"SELECT * FROM '{file}'").to_arrow_table() for file in (expected, result_)]
    assert read[0].equals(read[1])
    comments = [line.strip() for line in program.read_text().splitlines() if line.startswith("    # ")]
    told = [f"# {step.info.title}: {step.summary()}" for step in STEPS]
    assert [comment for comment in comments if comment in told] == told
    assert read[0].num_rows > 10


def test_a_plan_is_the_same_whatever_was_asked_before(workshop: Workshop) -> None:
    """Plans go on from the plan of one step less where that is known."""
    table = workshop.table([{"flow": n % 7, "rain": n / 2, "site": "ab"[n % 2], "wet": n} for n in range(20)])
    recipe = workshop.learnt(table, *STEPS)
    step_by_step = [workshop.engine.schema(table, recipe[:length]) for length in range(len(recipe) + 1)]
    fresh = DuckDbTableEngine(workshop.blobs, workshop.folder / "fresh", 1 << 28, 1)
    try:
        assert fresh.schema(table, recipe) == step_by_step[-1]
        program = fresh.python(recipe, table.columns, "a.csv")
    finally:
        fresh.close()
    assert workshop.engine.python(recipe, table.columns, "a.csv") == program


def test_a_refusal_is_the_same_when_it_is_told_again(workshop: Workshop) -> None:
    table = workshop.table([{"flow": 1}])
    recipe = tuple(RecipeStep(step) for step in (Derive("a", "flow"), Derive("b", "snow"), Derive("c", "flow")))
    told = []
    for _ in range(2):
        with pytest.raises(InvalidInputError, match="step 2") as refusal:
            workshop.engine.schema(table, recipe)
        told.append((str(refusal.value), refusal.value.faults))
    assert told[0] == told[1]
    assert workshop.engine.schema(table, recipe[:1])[-1].name == "a"


cells = st.one_of(st.none(), st.integers(-5, 5))
local_steps = st.lists(
    st.sampled_from(
        [
            Derive("a", "a + b"),
            Derive("c", "CASE WHEN a > 0 THEN b END"),
            Derive("d", "a / b"),
            FillMissing(("a",), FillMethod.CONSTANT, 1),
            FillMissing(("b",), FillMethod.CONSTANT, 0, flag=False),
            Filter("a > 0 OR b IS NULL"),
        ]
    ),
    max_size=5,
)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(st.tuples(cells, cells), min_size=2, max_size=12), steps=local_steps, cut=st.integers(1, 11))
def test_recipe_on_the_whole_is_recipe_on_the_parts(
    workshop: Workshop, rows: list[tuple[int | None, int | None]], steps: list[Step], cut: int
) -> None:
    def run(part: list[tuple[int | None, int | None]]) -> list[list[object]]:
        table = workshop.table([{"i": i, "a": a, "b": b} for i, (a, b) in enumerate([(1, 1), *part])])
        return [list(row.values())[1:] for row in workshop.rows(table, *steps)]

    first = run([])
    whole, left, right = run(rows), run(rows[:cut]), run(rows[cut:])
    assert whole == left + right[len(first) :]


def test_replay_gives_what_the_table_has(workshop: Workshop) -> None:
    table = workshop.table(ROWS)
    recipe = workshop.learnt(table, FillMissing(("flow",), FillMethod.MEAN), Derive("x", "flow + rain"))
    rows = workshop.view(View(table, recipe))
    given_ = workshop.view(View(table))
    assert workshop.engine.replay(table.columns, recipe, given_) == rows


def test_replay_names_row_and_column_of_a_fault(workshop: Workshop) -> None:
    table = workshop.table(ROWS)
    with pytest.raises(InvalidInputError) as caught:
        workshop.engine.replay(table.columns, (), [{"flow": 1}, {"flow": "many", "day": "someday"}])
    assert {fault.loc for fault in caught.value.faults} == {("rows", 1, "flow"), ("rows", 1, "day")}


def test_slow_question_is_ended(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    connections = workshop.engine._connections  # type: ignore[attr-defined]
    with connections.reading(seconds=0.2) as connection, pytest.raises(TooLargeError, match="longer than"):
        connection.rows("SELECT count(*) FROM range(1000000000) a, range(1000000) b WHERE a.range * b.range = 7")


def test_connection_reads_its_own_file_and_nothing_else(workshop: Workshop) -> None:
    mine, other = workshop.file(b"a\n1\n"), workshop.file(b"a\n2\n")
    connections = workshop.engine._connections  # type: ignore[attr-defined]
    with connections.fresh(mine) as connection:
        assert connection.rows(f"SELECT * FROM read_csv('{mine}')") == [(1,)]
        for forbidden in (
            f"SELECT * FROM read_csv('{other}')",
            "SELECT * FROM read_text('/etc/passwd')",
            f"COPY (SELECT 1) TO '{workshop.folder / 'x.csv'}'",
            f"ATTACH '{workshop.folder / 'x.db'}'",
            "SET enable_external_access = true",
            "SET memory_limit = '100GB'",
            "INSTALL httpfs",
            "LOAD httpfs",
        ):
            with pytest.raises(Exception, match=r".") as caught:
                connection.rows(forbidden)
            assert not isinstance(caught.value, duckdb.Error), forbidden


@pytest.fixture
def restless_threads() -> Iterator[None]:
    """Threads change over as often as they can, within any allocation too."""
    interval, threshold = sys.getswitchinterval(), gc.get_threshold()

    def pause(*_: object) -> None:
        sum(range(50))

    sys.setswitchinterval(1e-6)
    gc.set_threshold(20)
    gc.callbacks.append(pause)
    yield
    gc.callbacks.remove(pause)
    gc.set_threshold(*threshold)
    sys.setswitchinterval(interval)


@pytest.mark.usefixtures("restless_threads")
def test_many_threads_may_ask_at_once(workshop: Workshop) -> None:
    table = workshop.table([{"n": n, "s": "x"} for n in range(500)])
    failures: list[BaseException] = []

    def ask(at: int) -> None:
        try:
            view = View(table, filter=f"n >= {at % 4}", sort=(SortKey("n", descending=bool(at % 2)),))
            assert workshop.engine.page(view, 0, 5).total == 500 - at % 4
        except BaseException as error:  # noqa: BLE001 - told to the main thread
            failures.append(error)

    threads = [threading.Thread(target=ask, args=(at,)) for at in range(24)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_views_are_forgotten_when_there_are_too_many(tmp_path: Path) -> None:
    from hydroml.adapters.tables.cache import FileCache

    cache = FileCache(tmp_path, 1_000)
    for n in range(10):
        cache.file(f"question {n}", ".x", lambda out: out.write_bytes(b"x" * 300) and None)
    assert sum(f.stat().st_size for f in tmp_path.iterdir()) <= 1_000
    assert cache.found("question 9", ".x") is not None

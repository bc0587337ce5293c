"""Steps that bring another table together with the one at hand."""

import subprocess
import sys
from typing import Any
from uuid import uuid4

import duckdb
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hydroml.application.ports.tables import View
from hydroml.domain.errors import InvalidInputError
from hydroml.domain.sources import ColumnType, Table, VersionId
from hydroml.domain.studio.recipes import RecipeStep
from hydroml.domain.studio.steps import (
    Append,
    Filter,
    Join,
    JoinKey,
    JoinKind,
    JoinNearest,
    LagLead,
    NearestDirection,
    Sort,
    SortKey,
    SpanUnit,
    Step,
)
from tests.tables import QuietMonitor, Workshop

OTHER = VersionId(uuid4())
SITE = (JoinKey("site", "code"),)
FLOWS = [
    {"site": "b", "q": 1}, {"site": "é", "q": 2}, {"site": None, "q": 3}, {"site": "b", "q": 4}, {"site": "x", "q": 5},
]  # fmt: skip
SITES = [{"code": "é", "area": 10, "q": 0.5}, {"code": "b", "area": 20, "q": None}, {"code": None, "area": 30, "q": 1},
         {"code": "z", "area": 40, "q": 2}]  # fmt: skip


def together(
    workshop: Workshop,
    step: Step,
    rows: list[dict[str, Any]] | Table,
    others: list[dict[str, Any]] | Table,
    *before: Step,
) -> list[dict[str, Any]]:
    table = rows if isinstance(rows, Table) else workshop.table(rows)
    other = others if isinstance(others, Table) else workshop.table(others)
    return workshop.view(View(table, (*map(RecipeStep, before), RecipeStep(step, {}, (other,)))))


def empty(workshop: Workshop, rows: list[dict[str, Any]]) -> Table:
    table, out = workshop.table(rows), workshop.folder / f"{uuid4().hex}.parquet"
    written = workshop.engine.materialise(table, (RecipeStep(Filter("false")),), out, QuietMonitor())
    return Table(workshop.blobs.add(out).key, table.columns, written.rows)


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        (JoinKind.INNER, [("b", 1, 20), ("é", 2, 10), ("b", 4, 20)]),
        (JoinKind.LEFT, [("b", 1, 20), ("é", 2, 10), (None, 3, None), ("b", 4, 20), ("x", 5, None)]),
        (JoinKind.RIGHT, [("b", 1, 20), ("é", 2, 10), ("b", 4, 20), (None, None, 30), ("z", None, 40)]),
        (JoinKind.FULL, [("b", 1, 20), ("é", 2, 10), (None, 3, None), ("b", 4, 20), ("x", 5, None), (None, None, 30),
                         ("z", None, 40)]),
        (JoinKind.SEMI, [("b", 1), ("é", 2), ("b", 4)]),
        (JoinKind.ANTI, [(None, 3), ("x", 5)]),
    ],
)  # fmt: skip
def test_kinds_of_joins(workshop: Workshop, how: JoinKind, expected: list[tuple[Any, ...]]) -> None:
    rows = together(workshop, Join(OTHER, SITE, how), FLOWS, SITES)
    brought = [] if how in (JoinKind.SEMI, JoinKind.ANTI) else ["area", "q_right"]
    assert list(rows[0]) == ["site", "q", *brought]
    assert [tuple(row.values())[: len(expected[0])] for row in rows] == expected


@pytest.mark.parametrize("how", list(JoinKind))
def test_joins_with_nothing(workshop: Workshop, how: JoinKind) -> None:
    nobody, nowhere = empty(workshop, FLOWS), empty(workshop, SITES)
    lefts, rights = how in (JoinKind.LEFT, JoinKind.FULL, JoinKind.ANTI), how in (JoinKind.RIGHT, JoinKind.FULL)
    assert len(together(workshop, Join(OTHER, SITE, how), FLOWS, nowhere)) == (len(FLOWS) if lefts else 0)
    assert len(together(workshop, Join(OTHER, SITE, how), nobody, SITES)) == (len(SITES) if rights else 0)


def test_partners_come_in_order_and_may_be_refused(workshop: Workshop) -> None:
    twice = [*SITES, {"code": "b", "area": 25, "q": 9}]
    rows = together(workshop, Join(OTHER, SITE), FLOWS, twice, Sort((SortKey("q", descending=True),)))
    assert [(row["q"], row["area"]) for row in rows] == [
        (5, None),
        (4, 20),
        (4, 25),
        (3, None),
        (2, 10),
        (1, 20),
        (1, 25),
    ]
    with pytest.raises(InvalidInputError, match="the key “b” occurs more than once in the other table"):
        together(workshop, Join(OTHER, SITE, expect="one"), FLOWS, twice)
    with pytest.raises(InvalidInputError, match="the key “z” occurs more than once"):
        together(workshop, Join(OTHER, SITE, JoinKind.INNER, "one"), FLOWS, [*SITES, SITES[-1]])
    missing_twice = [*SITES, {"code": None, "area": 1, "q": 1}]
    assert len(together(workshop, Join(OTHER, SITE, expect="one"), FLOWS, missing_twice)) == len(FLOWS)


def test_keys_of_several_columns_and_types(workshop: Workshop) -> None:
    left = [{"i": 1, "d": "2020-01-01", "t": "a"}, {"i": 2, "d": "2020-01-02", "t": "b"}]
    right = [{"i": 1.0, "d": "2020-01-01T00:00:00", "v": 7}, {"i": 2.5, "d": "2020-01-02T00:00:00", "v": 8}]
    keys = (JoinKey("i", "i"), JoinKey("d", "d"))
    assert together(workshop, Join(OTHER, keys), left, right) == [
        {"i": 1, "d": "2020-01-01", "t": "a", "v": 7}, {"i": 2, "d": "2020-01-02", "t": "b", "v": None},
    ]  # fmt: skip
    full = together(workshop, Join(OTHER, keys, JoinKind.FULL), left, right)
    assert full[-1] == {"i": 2.5, "d": "2020-01-02T00:00:00", "t": None, "v": 8}


@pytest.mark.parametrize(
    ("step", "place", "words"),
    [
        (Join(OTHER, (JoinKey("site", "area"),)), ("on", 0), "“site” is text and “area” of the other table is integer"),
        (Join(OTHER, (JoinKey("x", "code"),)), ("on", 0, "left"), "no column “x” in this table"),
        (Join(OTHER, (JoinKey("site", "x"),)), ("on", 0, "right"), "no column “x” in the other table"),
        (Join(OTHER, SITE, suffix="_2"), ("suffix",), "two columns “q_2”"),
        (JoinNearest(OTHER, "site", "area"), ("left",), "choose a time or a number"),
        (JoinNearest(OTHER, "q", "code"), ("right",), "choose a time or a number"),
        (JoinNearest(OTHER, "q", "area", (JoinKey("q", "code"),)), ("keys", 0), "cannot be compared"),
        (Append(OTHER, "position"), ("version",), "append by name instead"),
        (Append(OTHER, source_column="Site"), ("source_column",), "two columns “Site”"),
    ],
)
def test_refusals_name_the_place(workshop: Workshop, step: Step, place: tuple[Any, ...], words: str) -> None:
    rows = [row | {"q_2": 0, "n": 0} for row in FLOWS]
    with pytest.raises(InvalidInputError, match=words) as caught:
        together(workshop, step, rows, SITES)
    assert caught.value.faults[0].loc == place
    with pytest.raises(InvalidInputError, match="not in this project any more") as caught:
        workshop.engine.schema(workshop.table(FLOWS), (RecipeStep(step),))
    assert caught.value.faults[0].loc == ("version",)


@pytest.mark.parametrize(
    "make",
    [
        lambda: Join(OTHER, ()),
        lambda: Join(OTHER, (JoinKey("a", "b"), JoinKey("a", "c"))),
        lambda: Join(OTHER, (JoinKey("a", "b"), JoinKey("c", "b"))),
        lambda: Join(OTHER, SITE, suffix=" "),
        lambda: JoinNearest(OTHER, "a", "b", tolerance=-1),
        lambda: JoinNearest(OTHER, "a", "b", tolerance=float("nan")),
        lambda: Append(OTHER, source_column=" "),
    ],
)
def test_parameters_are_checked(make: Any) -> None:
    with pytest.raises(InvalidInputError) as caught:
        make()
    assert caught.value.faults[0].loc


keys = st.one_of(st.none(), st.integers(0, 3))


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(left=st.lists(keys, min_size=1, max_size=8), right=st.lists(keys, min_size=1, max_size=8))
def test_laws_of_joins(workshop: Workshop, left: list[int | None], right: list[int | None]) -> None:
    mine = workshop.table([{"k": -1, "n": -1}, *({"k": k, "n": n} for n, k in enumerate(left))])
    theirs = workshop.table([{"k": -2, "m": -1}, *({"k": k, "m": m} for m, k in enumerate(right))])
    by = (JoinKey("k", "k"),)
    rows = {how: together(workshop, Join(OTHER, by, how), mine, theirs) for how in JoinKind}
    pairs = [(n, m) for n, k in enumerate(left) for m, other in enumerate(right) if k is not None and k == other]
    assert [(row["n"], row["m"]) for row in rows[JoinKind.INNER]] == pairs
    all_rows = workshop.rows(mine)
    assert sorted([*rows[JoinKind.SEMI], *rows[JoinKind.ANTI]], key=lambda row: row["n"]) == all_rows
    assert [row["n"] for row in rows[JoinKind.LEFT] if row["m"] is None] == [r["n"] for r in rows[JoinKind.ANTI]]
    matched = {row["m"] for row in rows[JoinKind.INNER]}
    lonely = [m for m in range(-1, len(right)) if m not in matched]
    assert [row["m"] for row in rows[JoinKind.RIGHT] if row["n"] is None] == lonely
    assert rows[JoinKind.FULL] == [*rows[JoinKind.LEFT], *(row for row in rows[JoinKind.RIGHT] if row["n"] is None)]


TIMES = [{"g": "a", "t": f"2020-01-{d:02}T00:00:00", "n": d} for d in (1, 5, 9)] + [
    {"g": "b", "t": "2020-01-05T00:00:00", "n": 50}, {"g": None, "t": "2020-01-05T00:00:00", "n": 60},
    {"g": "a", "t": None, "n": 70},
]  # fmt: skip
READINGS = [
    {"g": "a", "at": "2020-01-03", "v": 1}, {"g": "a", "at": "2020-01-07", "v": 2},
    {"g": "a", "at": "2020-01-03", "v": 3}, {"g": "b", "at": "2020-01-05", "v": 4},
    {"g": None, "at": "2020-01-05", "v": 5}, {"g": "a", "at": None, "v": 6},
]  # fmt: skip
BY_G = (JoinKey("g", "g"),)


@pytest.mark.parametrize(
    ("direction", "tolerance", "expected"),
    [
        (NearestDirection.BACKWARD, None, [None, 3, 2, 4, None, None]),
        (NearestDirection.FORWARD, None, [1, 2, None, 4, None, None]),
        (NearestDirection.NEAREST, None, [1, 3, 2, 4, None, None]),
        (NearestDirection.NEAREST, 2, [1, 3, 2, 4, None, None]),
        (NearestDirection.BACKWARD, 1.5, [None, None, None, 4, None, None]),
    ],
)
def test_nearest_in_time(
    workshop: Workshop, direction: NearestDirection, tolerance: float | None, expected: list[Any]
) -> None:
    step = JoinNearest(OTHER, "t", "at", BY_G, direction, tolerance)
    rows = together(workshop, step, TIMES, READINGS)
    assert [row["v"] for row in rows] == expected
    assert [row["n"] for row in rows] == [1, 5, 9, 50, 60, 70]
    matched = JoinNearest(OTHER, "t", "at", BY_G, direction, tolerance, keep="matched")
    assert [row["v"] for row in together(workshop, matched, TIMES, READINGS)] == [v for v in expected if v is not None]


def test_nearest_number_and_tolerance_in_hours(workshop: Workshop) -> None:
    left, right = [{"x": 1}, {"x": 4}, {"x": None}], [{"y": 2.5, "v": 1}, {"y": 4.5, "v": 2}]
    near = NearestDirection.NEAREST
    assert [r["v"] for r in together(workshop, JoinNearest(OTHER, "x", "y", (), near), left, right)] == [1, 2, None]
    assert [r["y"] for r in together(workshop, JoinNearest(OTHER, "x", "y", (), near, 0.5), left, right)] == [
        None,
        4.5,
        None,
    ]
    hours = JoinNearest(OTHER, "t", "at", BY_G, near, 47, SpanUnit.HOURS)
    assert [row["v"] for row in together(workshop, hours, TIMES, READINGS)] == [None, None, None, 4, None, None]
    nothing = empty(workshop, READINGS)
    assert [row["v"] for row in together(workshop, hours, TIMES, nothing)] == [None] * 6
    assert together(workshop, hours, empty(workshop, TIMES), READINGS) == []


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    left=st.lists(st.integers(-20, 20), min_size=1, max_size=10),
    right=st.lists(st.integers(-20, 20), min_size=1, max_size=10),
    direction=st.sampled_from(list(NearestDirection)),
    tolerance=st.one_of(st.none(), st.integers(0, 5)),
)
def test_nearest_is_that_of_pandas(
    workshop: Workshop, left: list[int], right: list[int], direction: NearestDirection, tolerance: int | None
) -> None:
    mine = pd.DataFrame({"x": left, "n": range(len(left))})
    theirs = pd.DataFrame({"y": right, "m": range(len(right))})
    found = together(
        workshop,
        JoinNearest(OTHER, "x", "y", (), direction, tolerance),
        [{"x": -999, "n": -1}, *mine.to_dict("records")],
        [{"y": 999, "m": -1}, *theirs.to_dict("records")],
    )[1:]
    theirs = pd.concat([pd.DataFrame({"y": [999], "m": [-1]}), theirs])
    expected = pd.merge_asof(
        mine.sort_values("x"), theirs.sort_values("y", kind="stable"), left_on="x", right_on="y",
        direction=str(direction), tolerance=tolerance,
    ).sort_values("n")  # fmt: skip
    assert [row["y"] for row in found] == [None if pd.isna(y) else y for y in expected["y"]]


def test_rows_are_appended_by_name(workshop: Workshop) -> None:
    left = [{"a": 1, "d": "2020-01-01", "only": "é"}, {"a": None, "d": None, "only": None}]
    right = [{"d": "2020-01-02T12:00:00", "a": 0.5, "more": "true"}]
    step = Append(OTHER, source_column="from", label="1", other_label="it's 2")
    assert together(workshop, step, left, right, Sort((SortKey("a"),))) == [
        {"a": 1.0, "d": "2020-01-01T00:00:00", "only": "é", "more": None, "from": "1"},
        {"a": None, "d": None, "only": None, "more": None, "from": "1"},
        {"a": 0.5, "d": "2020-01-02T12:00:00", "only": None, "more": True, "from": "it's 2"},
    ]
    assert len(together(workshop, step, empty(workshop, left), right)) == 1
    with pytest.raises(InvalidInputError, match="“a” is integer here and text in the other table"):
        together(workshop, step, left, [{"a": "x"}, {"a": "y"}])
    with pytest.raises(InvalidInputError, match="is not exact as a number"):
        together(workshop, step, [{"a": 2**53 + 1}, {"a": 2}], right)


def test_rows_are_appended_by_position(workshop: Workshop) -> None:
    left, right = [{"a": 1, "b": "x"}], [{"c": "12345678901234567.25", "a": "y"}]
    rows = together(workshop, Append(OTHER, "position"), left, right)
    assert rows == [{"a": "1.00", "b": "x"}, {"a": "12345678901234567.25", "b": "y"}]


def test_pages_and_later_steps_after_a_join(workshop: Workshop) -> None:
    left = workshop.table([{"n": n, "k": n % 50} for n in range(3_000)])
    right = workshop.table([{"k": k, "v": k * 10, "s": "é"} for k in range(40)])
    recipe = (
        RecipeStep(Join(OTHER, (JoinKey("k", "k"),), JoinKind.INNER), {}, (right,)),
        RecipeStep(LagLead(("n",))),
        RecipeStep(Filter("v > 100")),
    )
    page = workshop.engine.page(View(left, recipe), 1_000, 3)
    expected = [n for n in range(3_000) if 10 < n % 50 < 40]
    assert [row[0] for row in page.rows] == expected[1_000:1_003]
    assert page.row_numbers == (1_001, 1_002, 1_003)
    assert page.total == len(expected)
    found = workshop.engine.page(View(left, recipe, "v = 390", (SortKey("n", descending=True),)), 0, 1)
    assert (found.rows[0][0], found.total) == (2_989, 60)
    assert workshop.engine.schema(left, recipe)[-1].type is ColumnType.INTEGER
    preview = workshop.engine.preview(left, (), recipe[0])
    assert (preview.rows_before, preview.rows_after, preview.added_columns) == (3_000, 2_400, ("v", "s"))


def test_exported_program_reads_the_other_file(workshop: Workshop) -> None:
    left, right = workshop.table(FLOWS), workshop.table(SITES)
    recipe = tuple(
        RecipeStep(step, {}, (right,))
        for step in (
            Join(OTHER, SITE, JoinKind.FULL, "one"),
            JoinNearest(OTHER, "q", "area", suffix="_near", direction=NearestDirection.FORWARD),
            Append(OTHER, source_column="from"),
        )
    )
    expected, result = workshop.folder / "expected.parquet", workshop.folder / "result.parquet"
    workshop.engine.materialise(left, recipe, expected, QuietMonitor())
    program = workshop.folder / "program.py"
    program.write_text(workshop.engine.python(recipe, left.columns, "table.parquet"))
    for table, name in ((left, "table.parquet"), (right, f"{right.blob[:12]}.parquet")):
        with workshop.blobs.local(table.blob) as file:
            (workshop.folder / name).write_bytes(file.read_bytes())
    subprocess.run(
        [sys.executable, program, "table.parquet", result], check=True, capture_output=True, cwd=workshop.folder
    )
    read = [duckdb.sql(f"SELECT * FROM '{file}'").to_arrow_table() for file in (expected, result)]
    assert read[0].equals(read[1])
    assert read[0].num_rows == 11


@pytest.mark.parametrize("how", list(JoinKind))
def test_match_tells_what_the_join_gives(workshop: Workshop, how: JoinKind) -> None:
    left, right = workshop.table(FLOWS), workshop.table([*SITES, {"code": "b", "area": 25, "q": 9}])
    step = Join(OTHER, SITE, how)
    found = workshop.engine.match(left, (), RecipeStep(step, {}, (right,)))
    assert (found.rows_left, found.rows_right, found.matched_left, found.matched_right) == (5, 5, 3, 3)
    assert (found.unmatched_left, found.unmatched_right) == ((("x",), (None,)), (("z",), (None,)))
    assert (found.most_partners, found.largest_key, found.largest_rows) == (2, ("b",), 4)
    assert found.rows_after == len(together(workshop, step, left, right))


def test_match_follows_the_recipe_and_knows_nothing_of_others(workshop: Workshop) -> None:
    left, right = workshop.table(FLOWS), workshop.table(SITES)
    before = (RecipeStep(Join(OTHER, SITE), {}, (right,)), RecipeStep(Filter("area > 100")))
    found = workshop.engine.match(left, before, RecipeStep(Join(OTHER, SITE, suffix="_2"), {}, (right,)))
    assert (found.rows_left, found.rows_after, found.largest_key, found.most_partners) == (0, 0, None, 0)
    with pytest.raises(InvalidInputError, match="only joins are matched"):
        workshop.engine.match(left, (), RecipeStep(Append(OTHER), {}, (right,)))
    with pytest.raises(InvalidInputError, match="not in this project any more"):
        workshop.engine.match(left, (), RecipeStep(Join(OTHER, SITE)))


@pytest.mark.parametrize("keep", ["all", "matched"])
def test_match_by_nearest_tells_who_finds_a_partner_within_the_tolerance(workshop: Workshop, keep: Any) -> None:
    left = workshop.table([{"site": "ab"[n % 2], "at": n} for n in range(10)])
    right = workshop.table([{"site": "a", "level": 4.0}, {"site": "a", "level": 400.0}])
    step = JoinNearest(OTHER, "at", "level", (JoinKey("site", "site"),), NearestDirection.BACKWARD, 2, keep=keep)
    before = (RecipeStep(Sort((SortKey("at", descending=True),))),)
    found = workshop.engine.match(left, before, RecipeStep(step, {}, (right,)))
    assert (found.rows_left, found.matched_left, found.rows_right, found.matched_right) == (10, 2, 2, 1)
    assert found.unmatched_left[:2] == (("b", 9), ("a", 8))
    assert found.rows_after == len(together(workshop, step, left, right))


def test_a_join_brings_the_columns_that_are_chosen(workshop: Workshop) -> None:
    rows = together(workshop, Join(OTHER, SITE, bring=("area",)), FLOWS[:2], SITES)
    assert rows == [{"site": "b", "q": 1, "area": 20}, {"site": "é", "q": 2, "area": 10}]
    rows = together(
        workshop, JoinNearest(OTHER, "q", "area", direction=NearestDirection.FORWARD, bring=("code",)), FLOWS[:1], SITES
    )
    assert rows == [{"site": "b", "q": 1, "code": "é"}]
    with pytest.raises(InvalidInputError, match="no column “depth” in the other table"):
        together(workshop, Join(OTHER, SITE, bring=("area", "depth")), FLOWS, SITES)


def test_rows_are_appended_under_the_names_that_are_here(workshop: Workshop) -> None:
    left, right = [{"site": "b", "q": 1.0}], [{"code": "z", "q": 2, "note": "x"}]
    assert together(workshop, Append(OTHER, pairs=SITE), left, right) == [
        {"site": "b", "q": 1.0, "note": None}, {"site": "z", "q": 2.0, "note": "x"},
    ]  # fmt: skip
    with pytest.raises(InvalidInputError, match="two columns of the other table would come below “q”"):
        together(workshop, Append(OTHER, pairs=(JoinKey("q", "code"),)), left, right)

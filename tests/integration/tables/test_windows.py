"""Formulas that look at other rows: what they mean, and that they are told from those that do not."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hydroml.adapters.tables.formulas import compile_formula
from hydroml.application.ports.tables import View
from hydroml.domain.errors import InvalidInputError
from hydroml.domain.sources import Column, ColumnType
from hydroml.domain.studio.recipes import RecipeStep, row_local_part
from hydroml.domain.studio.steps import Derive, Filter, RowEffect, Sort, SortKey
from hydroml.domain.studio.steps.formulas import looks_at_other_rows
from tests.tables import Workshop

ROWS = [
    {"site": "a", "day": "2020-01-03", "flow": 5.0},
    {"site": "b", "day": "2020-01-01", "flow": 1.0},
    {"site": "a", "day": "2020-01-01", "flow": 2.0},
    {"site": "a", "day": "2020-01-01", "flow": None},
    {"site": "b", "day": "2020-01-09", "flow": 4.0},
]
COLUMNS = (
    Column("site", ColumnType.TEXT),
    Column("day", ColumnType.DATE),
    Column("flow", ColumnType.NUMBER),
)


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ("lag(flow) OVER ()", [None, 5.0, 1.0, 2.0, None]),
        ("lag(flow) OVER (PARTITION BY site ORDER BY day)", [None, None, None, 2.0, 1.0]),
        ("lead(flow, 1, 0) OVER (PARTITION BY site ORDER BY day)", [0.0, 4.0, None, 5.0, 0.0]),
        ("flow - lag(flow) OVER (PARTITION BY site ORDER BY day)", [None, None, None, None, 3.0]),
        ("sum(flow) OVER (PARTITION BY site)", [7.0, 5.0, 7.0, 7.0, 5.0]),
        ("sum(flow) OVER (ROWS BETWEEN 1 PRECEDING AND CURRENT ROW)", [5.0, 6.0, 3.0, 2.0, 4.0]),
        ("avg(flow) OVER (ROWS 2 PRECEDING)", [5.0, 3.0, pytest.approx(8 / 3), 1.5, 3.0]),
        ("sum(flow) OVER (ORDER BY day)", [8.0, 1.0, 3.0, 3.0, 12.0]),
        (
            "sum(flow) OVER (PARTITION BY site ORDER BY day RANGE BETWEEN INTERVAL 2 DAY PRECEDING AND CURRENT ROW)",
            [7.0, 1.0, 2.0, 2.0, 4.0],
        ),
        ("count(*) OVER (PARTITION BY site)", [3, 2, 3, 3, 2]),
        ("count(DISTINCT site) OVER ()", [2] * 5),
        ("count(flow) FILTER (WHERE flow > 1) OVER ()", [3] * 5),
        ("min(flow) OVER (PARTITION BY day)", [5.0, 1.0, 1.0, 1.0, 4.0]),
        ("row_number() OVER (ORDER BY day)", [4, 1, 2, 3, 5]),
        ("rank() OVER (ORDER BY day)", [4, 1, 1, 1, 5]),
        ("last_value(flow IGNORE NULLS) OVER (ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)", [5, 1, 2, 2, 4]),
        ("first_value(flow) OVER (PARTITION BY site)", [5.0, 1.0, 5.0, 5.0, 1.0]),
        ("if(flow > avg(flow) OVER (PARTITION BY site), 'above', 'below')", ["above", *["below"] * 3, "above"]),
    ],
)
def test_window_means_what_it_says(workshop: Workshop, formula: str, expected: list[object]) -> None:
    assert workshop.column(workshop.table(ROWS), "result", Derive("result", formula)) == expected


def test_rows_are_taken_in_the_order_the_steps_before_gave_them(workshop: Workshop) -> None:
    by_day = Sort((SortKey("day"),))
    found = workshop.column(workshop.table(ROWS), "before", by_day, Derive("before", "lag(flow) OVER ()"))
    assert found == [None, 1.0, 2.0, None, 5.0]


def test_steps_after_a_window_see_what_it_gave(workshop: Workshop) -> None:
    steps = (Derive("before", "lag(flow) OVER ()"), Filter("before > 1"))
    assert workshop.column(workshop.table(ROWS), "before", *steps) == [5.0, 2.0]


def test_preview_counts_the_cells_a_window_changes(workshop: Workshop) -> None:
    step = Derive("flow", "coalesce(flow, lag(flow) OVER ())")
    assert workshop.engine.preview(workshop.table(ROWS), (), RecipeStep(step)).changed_cells == {"flow": 1}


def test_condition_cannot_look_at_other_rows(workshop: Workshop) -> None:
    table = workshop.table(ROWS)
    with pytest.raises(InvalidInputError, match="derive a column"):
        workshop.engine.schema(table, (RecipeStep(Filter("flow > lag(flow) OVER ()")),))
    with pytest.raises(InvalidInputError, match="derive a column"):
        workshop.engine.page(View(table, filter="lag(flow) OVER () > 1"), 0, 10)


def test_prediction_does_not_replay_what_needs_other_rows() -> None:
    local, window = RecipeStep(Derive("double", "2 * flow")), RecipeStep(Derive("before", "lag(flow) OVER ()"))
    assert row_local_part((local, window)) == (local,)


names = st.sampled_from(["flow", '"flow"', "FLOW"])
texts = st.text("over ('\"-/*x", max_size=8).map(lambda text: "'" + text.replace("'", "''") + "'")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.one_of(
            names,
            texts.map(lambda text: f"length({text})"),
            names.map(lambda name: f"lag({name}) OVER ()"),
            names.map(lambda name: f"sum({name})over(PARTITION BY site)"),
            st.just("flow -- over\n"),
            st.just("/* over () */ flow"),
        ),
        min_size=1,
        max_size=5,
    )
)
def test_step_knows_whether_its_formula_looks_at_other_rows(parts: list[str]) -> None:
    formula = "\n+ ".join(parts)
    compiled = compile_formula(formula, COLUMNS, order=())
    assert compiled.windows == looks_at_other_rows(formula)
    assert (Derive("x", formula).effect is RowEffect.RELATES) == compiled.windows


@pytest.mark.parametrize(
    ("formula", "part"),
    [
        ("flow + flwo * 2", "flwo"),
        ("flow + (site * 2)", "site * 2"),
        ("if(flow > 1, 'a', foo(flow))", "foo(flow)"),
        ("flow + ln(1, 2)", "ln(1, 2)"),
        ("flow + 'open", "'open"),
        ("flow\n  + + * 3", "3"),
        ("ä + flow", "ä"),
        ("flow > lower(site) || 'x' AND flow > 1", "flow > lower(site) || 'x'"),
        ("date_trunc('eon', day)", "date_trunc('eon', day)"),
    ],
)
def test_fault_names_the_part_it_is_about(workshop: Workshop, formula: str, part: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        workshop.engine.schema(workshop.table(ROWS), (RecipeStep(Derive("x", formula)),))
    span = caught.value.faults[0].span
    assert span is not None
    assert part in formula[slice(*span)]
    assert span[1] - span[0] <= len(part) + 2

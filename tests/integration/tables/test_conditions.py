"""Conditions: a tree is written as a formula, and the formula is read as the same tree."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hydroml.adapters.tables.conditions import read_condition
from hydroml.adapters.tables.formulas import compile_formula
from hydroml.domain.errors import InvalidInputError
from hydroml.domain.sources import Column, ColumnType
from hydroml.domain.studio.conditions import Comparison, Condition, Group, Test, written

NAMES = ["flow", "site", "ok", "day", "Q (m³/s)", 'a "b"', "select", "over", "x.y"]
COLUMNS = [Column(name, ColumnType.TEXT) for name in NAMES]


@pytest.mark.parametrize(
    ("formula", "rewritten"),
    [
        ("flow > 3", "flow > 3"),
        ("3 < FLOW AND 'a' = site", "flow > 3 AND site = 'a'"),
        ("flow>=-1 OR flow <= 2.5e3", "flow >= -1 OR flow <= 2500.0"),
        ("NOT (flow > 3 OR site IN ('a','b'))", "NOT (flow > 3 OR site IN ('a', 'b'))"),
        ("site NOT IN ('it''s')", "site NOT IN ('it''s')"),
        ("NOT site IS NULL AND is_missing(day)", "site IS NOT NULL AND day IS NULL"),
        ("flow NOT BETWEEN 1 AND 2", "flow NOT BETWEEN 1 AND 2"),
        ("contains(site, 'x') OR NOT contains(site, 'y')", "contains(site, 'x') OR NOT contains(site, 'y')"),
        ("ok AND NOT ok", "ok = true AND NOT (ok = true)"),
        ("flow > 3 AND (site = 'a' OR site = 'b') AND ok", "flow > 3 AND (site = 'a' OR site = 'b') AND ok = true"),
        ('"Q (m³/s)" = 1 -- so far', '"Q (m³/s)" = 1'),
    ],
)
def test_formula_of_comparisons_is_read_as_a_tree(formula: str, rewritten: str) -> None:
    found = read_condition(formula, COLUMNS)
    assert found is not None
    assert written(found) == rewritten


@pytest.mark.parametrize(
    "formula",
    ["flow > site", "abs(flow) > 3", "flow + 1 > 3", "site LIKE 'x%'", "flow BETWEEN SYMMETRIC 2 AND 1", "1 = 1",
     "flow > 3 AND", "nothing = 1", "NOT contains(site, 'a') = true", "coalesce(ok, false)", "flow = NULL",
     "contains(site, 3)", "flow IN (SELECT 1)", "CASE WHEN ok THEN true END", "", "x" * 5_000, "(" * 500],
)  # fmt: skip
def test_what_is_more_than_comparisons_stays_a_text(formula: str) -> None:
    assert read_condition(formula, COLUMNS) is None


texts = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=8)
numbers = st.one_of(st.integers(-(2**53), 2**53), st.floats(allow_nan=False, allow_infinity=False))
values = st.one_of(st.booleans(), numbers, texts)


def comparisons() -> st.SearchStrategy[Comparison]:
    def of(test: Test) -> st.SearchStrategy[Comparison]:
        kinds = (
            texts
            if test in (Test.CONTAINS, Test.NOT_CONTAINS, Test.STARTS_WITH, Test.ENDS_WITH, Test.MATCHES)
            else values
        )
        least, most = (
            (0, 0) if "missing" in test else (2, 2) if "between" in test else (1, 3 if "one_of" in test else 1)
        )
        return st.builds(
            Comparison,
            st.sampled_from(NAMES),
            st.just(test),
            st.lists(kinds, min_size=least, max_size=most).map(tuple),
        )

    return st.sampled_from(Test).flatmap(of)


def groups(parts: st.SearchStrategy[Condition]) -> st.SearchStrategy[Condition]:
    return st.builds(
        Group, st.sampled_from(["all", "any"]), st.lists(parts, min_size=2, max_size=3).map(tuple), st.booleans()
    )


@settings(deadline=None)
@given(groups(st.recursive(comparisons(), groups, max_leaves=8)))
def test_tree_comes_back_from_its_formula(tree: Group) -> None:
    formula = written(tree)
    compile_formula(formula, COLUMNS)
    again = read_condition(formula, COLUMNS)
    assert again is not None
    assert repr(again) == repr(tree)  # 1 and true, 0.0 and -0.0 are equal, and not the same


@pytest.mark.parametrize(
    "make",
    [
        lambda: written(Group("all", ())),
        lambda: written(Group("all", (Group("any", ()),))),
        lambda: written(Group("all", tuple(Comparison("flow", Test.MISSING) for _ in range(201)))),
        lambda: Comparison("flow", Test.IS, ()),
        lambda: Comparison("flow", Test.BETWEEN, (1,)),
        lambda: Comparison("flow", Test.MISSING, (1,)),
        lambda: Comparison("flow", Test.CONTAINS, (1,)),
        lambda: Comparison("flow", Test.IS, (float("inf"),)),
        lambda: Comparison("flow", Test.IS, (2**60,)),
        lambda: Comparison("flow", Test.IS, ("\x00",)),
        lambda: Comparison("flow", Test.IS, ("x" * 2_000,)),
    ],
)
def test_tree_that_is_no_condition_is_refused(make: object) -> None:
    with pytest.raises(InvalidInputError):
        make()  # type: ignore[operator]


def test_nesting_is_bounded() -> None:
    tree: Condition = Comparison("flow", Test.MISSING)
    for _ in range(10):
        tree = Group("all", (tree, tree), negated=True)
    with pytest.raises(InvalidInputError):
        written(tree)  # type: ignore[arg-type]

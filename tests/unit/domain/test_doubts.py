"""What makes a result doubtful is said before a run, with the columns it is about."""

from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest

from hydroml.domain.experiments.doubts import Doubt, Evidence, Giveaway, doubts
from hydroml.domain.experiments.preparation import DatePart, Dates, Past, Preparation, Statistic, Window
from hydroml.domain.experiments.specification import Problem, Specification, Split, SplitKind, TargetSummary
from hydroml.domain.quality.facts import Association
from hydroml.domain.sources import Column, ColumnType, VersionId

COLUMNS = tuple(Column(name, ColumnType.NUMBER) for name in ("id", "casual", "registered", "cnt", "temp", "season"))
SUM = Giveaway("combination", ("cnt", "casual", "registered"), "cnt = casual + registered")
PLENTY = TargetSummary(1_000, 0, 500, 1)


def judged(
    features: tuple[str, ...],
    target: str = "cnt",
    split: SplitKind = SplitKind.RANDOM,
    columns: tuple[Column, ...] = COLUMNS,
    evidence: Evidence | None = None,
    **changes: Any,
) -> dict[str, Doubt]:
    specification = Specification(
        name="x", version_id=VersionId(uuid4()), target=target, features=features, split=Split(split), **changes
    )
    found = doubts(
        specification, columns, PLENTY, problem=Problem.REGRESSION, split=split, features=features,
        evidence=evidence or Evidence(),
    )  # fmt: skip
    return {doubt.code: doubt for doubt in found}


@pytest.mark.parametrize(
    ("target", "features", "named"),
    [
        ("cnt", ("casual", "temp"), ("casual",)),
        ("cnt", ("casual", "registered", "temp"), ("casual", "registered")),
        ("casual", ("cnt", "registered"), ("cnt", "registered")),
        ("casual", ("cnt", "temp"), None),
        ("temp", ("casual", "cnt", "registered"), None),
    ],
)
def test_terms_of_a_sum_give_it_away(target: str, features: tuple[str, ...], named: tuple[str, ...] | None) -> None:
    found = judged(features, target, evidence=Evidence(giveaways=[SUM])).get("gives_away")
    assert (found.columns if found else None) == named
    if found:
        assert "cnt = casual + registered" in found.msg


def test_a_copy_gives_away_in_both_directions_and_a_determined_column_in_one() -> None:
    copy = Evidence(giveaways=[Giveaway("linear_copy", ("casual", "cnt"), "casual = 2 × cnt")])
    assert judged(("casual",), evidence=copy)["gives_away"].columns == ("casual",)
    assert judged(("cnt",), "casual", evidence=copy)["gives_away"].columns == ("cnt",)
    determined = Evidence(giveaways=[Giveaway("determined", ("season", "temp"), "temp gives season")])
    assert "gives_away" in judged(("temp",), "season", evidence=determined)
    assert "gives_away" not in judged(("season",), "temp", evidence=determined)


def test_a_single_feature_that_nearly_predicts_alone_is_asked_about_once() -> None:
    evidence = Evidence(
        giveaways=[SUM],
        associations=[
            Association("cnt", "casual", "pearson", 0.999),
            Association("temp", "cnt", "pearson", -0.991),
            Association("temp", "cnt", "spearman", -0.99),
            Association("season", "cnt", "pearson", 0.7),
        ],
    )
    found = judged(("casual", "temp", "season"), evidence=evidence)
    assert found["predicts_alone"].columns == ("temp",)
    assert "-0.991" in found["predicts_alone"].msg


def test_duplicates_sites_and_keys() -> None:
    evidence = Evidence(duplicates=937, site_column="season", sites=4, unfit={"id": "it names the rows"})
    found = judged(("id", "temp"), evidence=evidence)
    assert "937" in found["duplicates"].msg
    assert found["groups_on_both_sides"].columns == ("season",)
    assert found["unfit_feature"] == Doubt("unfit_feature", "“id”: it names the rows", ("id",))
    by_group = judged(("temp",), split=SplitKind.GROUP, evidence=evidence, group_column="season")
    assert "groups_on_both_sides" not in by_group


def test_nobody_has_looked_yet() -> None:
    specification = Specification(name="x", version_id=VersionId(uuid4()), target="cnt", features=("temp",))
    found = doubts(
        specification, COLUMNS, PLENTY, problem=Problem.REGRESSION, split=SplitKind.RANDOM, features=("temp",),
        evidence=None,
    )  # fmt: skip
    assert [doubt.code for doubt in found] == ["not_examined"]


def test_what_the_past_of_the_target_changes_is_said() -> None:
    columns = (*COLUMNS, Column("day", ColumnType.DATE))
    preparation = Preparation(
        dates=Dates((DatePart.YEAR,)),
        past=(Past(columns=("cnt",), windows=(Window(Statistic.MEAN, 7, lag=3),)), Past(columns=("temp",), lags=(1,))),
    )
    found = judged(
        ("temp", "day"),
        split=SplitKind.CHRONOLOGICAL,
        columns=columns,
        evidence=Evidence(time_column="day", uneven=True, site_column="season", sites=4),
        time_column="day",
        preparation=preparation,
    )
    assert "“cnt” as it was 3 before" in found["knows_the_past"].msg
    assert found["uneven_past"].columns == ("day",)
    assert found["mixed_past"].columns == ("season",)
    assert found["new_years"].columns == ("day",)
    without = replace(preparation, past=preparation.past[1:])
    assert "knows_the_past" not in judged(("temp",), columns=columns, time_column="day", preparation=without)

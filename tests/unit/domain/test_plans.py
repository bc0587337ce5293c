"""What each kind of plan tries, and in which order."""

from collections.abc import Callable, Mapping
from typing import Any
from uuid import uuid4

import pytest

from hydroml.domain.errors import InvalidInputError
from hydroml.domain.experiments.algorithms import ALGORITHMS
from hydroml.domain.experiments.plans import (
    Ablation,
    Basis,
    Comparison,
    CrossValidation,
    Method,
    Plan,
    Scored,
    Selection,
    Space,
    Sweep,
)
from hydroml.domain.experiments.specification import AlgorithmChoice, Problem, Specification, Split, SplitKind
from hydroml.domain.sources import Column, ColumnType, VersionId

NAMES = ("rain", "snow", "wind", "noise")
COLUMNS = tuple(Column(name, ColumnType.NUMBER) for name in (*NAMES, "flow"))
WORTH = {"rain": 5.0, "snow": 2.0, "wind": 1.0, "noise": -0.5}
"""How much nearer to the best a score comes by a feature."""


def basis(**changes: Any) -> Basis:
    specification = Specification(name="Flow", version_id=VersionId(uuid4()), target="flow", **changes)
    return Basis(specification, Problem.REGRESSION, COLUMNS)


def run(plan: Any, start: Basis, importance: Mapping[str, float] | None = None) -> tuple[list[Any], list[Any]]:
    """(values, features) of all trials, each scored by what its features are worth."""
    plan = plan.resolved(start)
    assert list(plan.faults(start)) == []
    values, kept, scored = [], [], []
    while True:
        following = plan.upcoming(start.specification, scored)
        if not following:
            return values, kept
        variant = following[0]
        features = variant.specification.features or ()
        values.append(variant.values)
        kept.append(features)
        distance = 10 - sum(WORTH[f] for f in features)
        scored.append(Scored(variant.values, True, distance, importance or {}))
        assert len(scored) <= plan.most(start.specification)


def test_ablation_tries_all_then_without_then_alone() -> None:
    plan = Ablation(groups={"water": ("rain", "snow"), "air": ("wind",)})
    values, kept = run(plan, basis())
    assert [v["features"] for v in values] == ["all", "without water", "without air", "only water", "only air"]
    assert kept == [NAMES, ("wind", "noise"), ("rain", "snow", "noise"), ("rain", "snow"), ("wind",)]


def test_ablation_without_groups_takes_each_feature() -> None:
    values, kept = run(Ablation(alone=False), basis(features=("snow", "rain")))
    assert [v["features"] for v in values] == ["all", "without rain", "without snow"]
    assert kept[1:] == [("snow",), ("rain",)]


def test_forward_adds_what_helps_most_until_nothing_helps() -> None:
    values, kept = run(Selection(method=Method.FORWARD), basis())
    assert [len(features) for features in kept] == [1, 1, 1, 1, 2, 2, 2, 3, 3, 4]
    assert kept[-1] == NAMES
    assert [v["added"] for v in values[:4]] == list(NAMES)
    assert kept[7:9] == [("rain", "snow", "wind"), ("rain", "snow", "noise")]


def test_forward_ends_where_it_is_told_to() -> None:
    _, kept = run(Selection(method=Method.FORWARD, most_features=2), basis())
    assert max(len(features) for features in kept) == 2
    _, kept = run(Selection(method=Method.FORWARD, tolerance=0.9), basis())
    assert max(len(features) for features in kept) == 2  # the second round gains less than that


def test_backward_takes_away_what_is_missed_least() -> None:
    values, kept = run(Selection(method=Method.BACKWARD), basis())
    assert (values[0]["removed"], kept[0]) == (None, NAMES)
    assert [len(features) for features in kept] == [4, 3, 3, 3, 3, 2, 2, 2]
    assert values[4]["removed"] == "noise"


@pytest.mark.parametrize("method", [Method.FORWARD, Method.BACKWARD])
def test_a_round_waits_for_its_trials(method: Method) -> None:
    start = basis()
    plan = Selection(method=method).resolved(start)
    waiting = [Scored({}, False, None)] * (len(NAMES) if method is Method.FORWARD else 1)
    assert plan.upcoming(start.specification, waiting) == ()


def test_a_failed_trial_wins_no_round() -> None:
    start = basis()
    plan = Selection().resolved(start)
    failed = [Scored({}, True, None), *[Scored({}, True, d) for d in (3.0, 2.0, 4.0)]]
    assert (plan.upcoming(start.specification, failed)[0].specification.features or ())[0] == "rain"
    assert "wind" in (plan.upcoming(start.specification, failed)[0].specification.features or ())
    assert plan.upcoming(start.specification, [Scored({}, True, None)] * 4) == ()


def test_importance_halves_the_features() -> None:
    values, kept = run(Selection(method=Method.IMPORTANCE), basis(), WORTH)
    assert [v["kept"] for v in values] == ["all", "2 most important", "1 most important"]
    assert kept == [NAMES, ("rain", "snow"), ("rain",)]


def test_stability_keeps_what_most_seeds_find_important() -> None:
    plan = Selection(method=Method.STABILITY, seeds=4)
    values, kept = run(plan, basis(seed=2**32 - 2), WORTH)
    assert [v["draw"] for v in values] == [1, 2, 3, 4, 1]
    assert kept[-1] == ("rain", "snow")
    assert [plan.competes(v) for v in values] == [True, False, False, False, True]


def test_a_study_repeats_under_other_seeds() -> None:
    start = basis(seed=7)
    variants = CrossValidation(repeats=3).upcoming(start.specification, ())
    assert [(v.values, v.specification.seed) for v in variants] == [({"repeat": n + 1}, 7 + n) for n in range(3)]
    nested = CrossValidation(repeats=2, candidates=(AlgorithmChoice("ridge"), AlgorithmChoice("random_forest")))
    every = [v.specification for v in nested.upcoming(start.specification, ())]
    assert [(s.seed, s.algorithm.name) for s in every] == [
        (7, "ridge"), (7, "random_forest"), (8, "ridge"), (8, "random_forest"),
    ]  # fmt: skip


TIMED = {"time_column": "wind", "split": Split(SplitKind.CHRONOLOGICAL)}


@pytest.mark.parametrize(
    ("plan", "changes", "place"),
    [
        (Ablation(groups={"water": ("rain", "sun")}), {}, ("groups", "water", 1)),
        (Ablation(groups={"water": ()}), {}, ("groups", "water")),
        (Ablation(groups={"everything": NAMES}), {}, ("groups", "everything")),
        (Selection(), {"features": ("rain",)}, ("features",)),
        (CrossValidation(), TIMED, ("repeats",)),
        (CrossValidation(candidates=(AlgorithmChoice("ridge"),)), {}, ("candidates",)),
        (CrossValidation(candidates=(AlgorithmChoice("ridge"), AlgorithmChoice("logistic_regression"))), {},
         ("candidates", 1, "name")),
        (CrossValidation(candidates=(AlgorithmChoice("ridge"), AlgorithmChoice("lasso"))),
         {"split": Split(SplitKind.KFOLD)}, ("candidates",)),
        (Comparison(algorithms=(AlgorithmChoice("ridge"), AlgorithmChoice("ridge"))), {}, ("algorithms", 1)),
        (Comparison(algorithms=(AlgorithmChoice("ridge"),)), {}, ("algorithms",)),
        (Sweep(space={"max_iter": Space(low=50, high=50)}), {}, ("space", "max_iter", "high")),
        (Sweep(space={"early_stopping": Space()}), {}, ("space", "early_stopping", "choices")),
        (Sweep(space={"max_iter": Space(low=50, high=60, choices=(50,))}), {}, ("space", "max_iter", "choices")),
    ],
)  # fmt: skip
def test_what_is_wrong_has_its_place(plan: Plan, changes: dict[str, Any], place: tuple[Any, ...]) -> None:
    start = basis(**changes)
    assert place in [fault.loc for fault in plan.resolved(start).faults(start)]


def test_too_many_trials_are_refused() -> None:
    columns = tuple(Column(f"c{n}", ColumnType.NUMBER) for n in range(60))
    wide = Basis(basis().specification, Problem.REGRESSION, (*columns, COLUMNS[-1]))
    assert [f.code for f in Selection().resolved(wide).faults(wide)] == ["too_many"]
    assert list(Selection(method=Method.IMPORTANCE).resolved(wide).faults(wide)) == []


@pytest.mark.parametrize(
    "make",
    [
        lambda: Sweep(trials=0),
        lambda: Sweep(seed=-1),
        lambda: Selection(tolerance=2),
        lambda: Selection(seeds=1),
        lambda: CrossValidation(repeats=1),
    ],
)
def test_values_out_of_range_are_refused(make: Callable[[], Plan]) -> None:
    with pytest.raises(InvalidInputError):
        make()


@pytest.mark.parametrize("name", ALGORITHMS)
def test_the_spaces_of_every_algorithm_can_be_searched(name: str) -> None:
    problem = Problem(ALGORITHMS[name].problems[0])
    start = Basis(basis(algorithm=AlgorithmChoice(name)).specification, problem, COLUMNS)
    plan = Sweep().resolved(start)
    assert list(plan.faults(start)) == []
    known = {p.name: p for p in ALGORITHMS[name].hyperparameters}
    for parameter, space in plan.space.items():
        assert all(known[parameter].complaint(value) is None for value in space.grid(known[parameter]))

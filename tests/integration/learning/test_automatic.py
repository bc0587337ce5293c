"""The automatic search: an honest ensemble within its time, that anybody can stop, read and load again."""

import json
import threading
import time
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from hydroml.adapters.learning import ScikitLearner, modelfile
from hydroml.adapters.learning.automatic import ensemble
from hydroml.adapters.learning.automatic.material import inner_folds
from hydroml.adapters.learning.automatic.pace import Pace, faster
from hydroml.adapters.learning.automatic.portfolio import portfolio
from hydroml.adapters.learning.automatic.scores import score_of
from hydroml.adapters.learning.automatic.trials import trials
from hydroml.adapters.learning.frames import Times
from hydroml.adapters.learning.splits import Rows
from hydroml.application.ports.learning import Trained
from hydroml.domain.errors import TooLargeError
from hydroml.domain.experiments.specification import AlgorithmChoice, Budget, Problem, Split, SplitKind
from hydroml.domain.jobs import JobCancelledError
from hydroml.domain.sources import ColumnType
from tests.integration.learning.weather import FEATURES, weather
from tests.tasks import GIGABYTE, RecordingMonitor, task_of, train


def searched(folder: Path, seconds: float = 6, values: dict[str, Any] | None = None, **options: Any) -> Trained:
    settings: dict[str, Any] = {"folds": 3, "trials": "off"} | (values or {})
    choice = AlgorithmChoice("automatic", settings)
    table = options.pop("table", None) or weather()
    task = task_of(table, folder, algorithm=choice, budget=Budget(seconds), **{"features": FEATURES} | options)
    return train(task, folder)


def board_of(trained: Trained) -> dict[str, Any]:
    return dict(json.loads(trained.artifacts["leaderboard"]))


@pytest.mark.parametrize(
    ("problem", "target"), [(Problem.REGRESSION, "y"), (Problem.BINARY, "high"), (Problem.MULTICLASS, "site")]
)
def test_what_is_found_predicts_is_explained_and_is_stored_without_pickle(
    tmp_path: Path, problem: Problem, target: str
) -> None:
    table = weather()
    if problem is Problem.MULTICLASS:
        table["site"] = np.where(np.array(pa.array(table["level"]), dtype=float) > 8, "wet", table["high"])
    features = tuple(f for f in FEATURES if f != target)
    result = searched(tmp_path, target=target, problem=problem, table=table, features=features)
    outcome, board = result.outcome, board_of(result)
    best, naive = ("r2", "mean") if target == "y" else ("accuracy", "most_frequent")
    assert outcome.metrics["test"][best] > outcome.baselines[naive][best] + 0.1
    assert json.loads(result.artifacts["importance"])["items"]
    model = modelfile.load(result.model)
    rows = [{f.name: None for f in outcome.features}]
    assert len(ScikitLearner(GIGABYTE, 1).predict_rows(result.model, outcome, rows).predictions) == 1
    weights = [item["weight"] for item in board["items"] if item["weight"]]
    assert sum(weights) == pytest.approx(1)
    assert len(model["learn"].estimators_) == len(weights)
    assert {item["state"] for item in board["items"]} <= {"done", "dropped", "too_slow", "cut"}
    assert all(item["reason"] or item["score"] is not None for item in board["items"])


def test_single_best_and_other_folds_on_request(tmp_path: Path) -> None:
    alone = board_of(searched(tmp_path, values={"ensemble": "off", "folds": 2}))
    assert [item["weight"] for item in alone["items"] if item["weight"]] == [1.0]
    assert alone["items"][0]["weight"] == 1.0
    assert len(alone["items"][0]["folds"]) == alone["folds"] == 2


def test_later_rows_are_never_learnt_from_and_test_rows_not_looked_at(tmp_path: Path) -> None:
    rows = Rows(np.arange(100), None, Times(np.arange(100.0), ColumnType.NUMBER), np.repeat(np.arange(10), 10))
    for kind in (SplitKind.CHRONOLOGICAL, SplitKind.WATER_YEARS, SplitKind.EXPANDING, SplitKind.SLIDING):
        for part in inner_folds(kind, Split(gap=0.02), rows, 4, 0):
            assert part.train.max() + 2 < part.test.min()
    for kind in (SplitKind.GROUP, SplitKind.GROUP_KFOLD):
        for part in inner_folds(kind, Split(), rows, 4, 0):
            assert rows.groups is not None
            assert not set(rows.groups[part.train]) & set(rows.groups[part.test])


def test_the_same_is_found_again_whatever_the_test_rows_hold(tmp_path: Path) -> None:
    """No rule but a limit of time lets the clock decide, and nothing of the test rows reaches the search."""
    table, other = weather(), weather()
    other["y"] = pa.array([v if v is None or i < 200 else 1e6 for i, v in enumerate(pa.array(table["y"]).to_pylist())])
    options: dict[str, Any] = {"time_column": "day", "split": Split(test_size=0.2), "values": {"folds": 2}}
    first, second = (board_of(searched(tmp_path, 400, table=t, **options))["items"] for t in (table, other))
    for one, again in zip(first, second, strict=True):
        assert (one["name"], one["score"], one["weight"]) == (again["name"], again["score"], again["weight"])


@pytest.mark.parametrize("split", [Split(), Split(SplitKind.KFOLD, folds=2)], ids=["one part", "folds"])
def test_repeated_it_fits_what_was_found_to_the_last_digit(tmp_path: Path, split: Split) -> None:
    choice = AlgorithmChoice("automatic", {"folds": 2})
    task = task_of(weather(), tmp_path, features=FEATURES, algorithm=choice, split=split, budget=Budget(6))
    result = train(task, tmp_path)
    again = train(replace(task, found=board_of(result)), tmp_path, threads=1)
    assert again.outcome.metrics == result.outcome.metrics
    assert again.artifacts == result.artifacts


@pytest.mark.timeout(100)
def test_asked_to_finish_it_keeps_the_best_it_has(tmp_path: Path) -> None:
    choice = AlgorithmChoice("automatic", {"folds": 3})
    task = task_of(weather(4_000), tmp_path, features=FEATURES, algorithm=choice, budget=Budget(600))
    monitor = RecordingMonitor()
    result = train(replace(task, enough=lambda: any("done in" in line for line in monitor.lines)), tmp_path, monitor)
    board = board_of(result)
    assert board["stopped"]
    assert len(board["items"]) < 14
    assert result.outcome.metrics["test"]["r2"] > 0.5


@pytest.mark.timeout(60)
def test_cancelling_stops_a_search(tmp_path: Path) -> None:
    before = threading.active_count()
    choice = AlgorithmChoice("automatic")
    task = task_of(weather(20_000), tmp_path, features=FEATURES, algorithm=choice, budget=Budget(600))
    with pytest.raises(JobCancelledError):
        train(task, tmp_path, RecordingMonitor(cancel_in="searching"))
    assert threading.active_count() <= before + 2  # joblib keeps its pool


def test_too_little_time_is_said(tmp_path: Path) -> None:
    choice = AlgorithmChoice("automatic")
    split = Split(SplitKind.KFOLD, folds=20)
    task = task_of(weather(20_000), tmp_path, features=FEATURES, algorithm=choice, split=split, budget=Budget(1))
    with pytest.raises(TooLargeError, match="did not suffice"):
        train(task, tmp_path)


def test_a_class_that_a_fold_lacks_does_no_harm(tmp_path: Path) -> None:
    day = np.arange(300)
    label = np.where(day < 60, "a", np.where(day % 2, "b", "c"))
    table = {"t": day, "x": day % 2 * 1.0, "noise": np.random.default_rng(1).normal(size=300), "y": label}
    result = searched(
        tmp_path, table=table, features=("x", "noise"), target="y", time_column="t", problem=Problem.MULTICLASS
    )
    assert result.outcome.classes == ("a", "b", "c")
    assert result.outcome.metrics["test"]["accuracy"] > 0.9


def test_weights_help_and_are_judged_on_rows_they_never_saw() -> None:
    random = np.random.default_rng(0)
    observed = random.normal(size=2_000)
    predictions = [observed + random.normal(size=2_000), observed + random.normal(size=2_000), observed + 30]
    score = score_of(Problem.REGRESSION, ())
    weights = ensemble.greedy(predictions, observed, score)
    assert weights.keys() == {0, 1}
    assert weights[0] == pytest.approx(0.5, abs=0.1)
    folds = np.repeat(np.arange(4), 500)
    judged = ensemble.cross_fitted(
        predictions, observed, folds, score, lambda said, seen: ensemble.greedy(said, seen, score)
    )
    assert score.loss(observed, ensemble.mixed(predictions, weights)) <= judged < 0.8
    assert ensemble.equal([3.0, 1.0, 2.0, 2.5], ["a", "a", "b", "c"]) == pytest.approx({1: 1 / 3, 2: 1 / 3, 3: 1 / 3})


def test_slow_learners_are_hurried_or_left_out() -> None:
    pace = Pace(limit=0.05, rate=0.01)
    while not pace.tell(1.0):
        time.sleep(0.002)
    assert pace.affordable is not None
    assert pace.rounds == 10
    assert faster(0.05, 1_000) == 0.05
    assert faster(0.05, 200) == 0.1
    assert faster(0.05, 50) is None
    patient = Pace(limit=100, patience=3)
    assert [patient.tell(loss) for loss in (3, 2, 1, 2, 2, 2)] == [False] * 5 + [True]


def test_trials_stay_within_their_ranges_and_start_with_the_best_family() -> None:
    drawn = [list(islice(trials(["catboost", "linear", "lightgbm", "catboost"], seed=1), 40)) for _ in range(2)]
    assert drawn[0] == drawn[1]
    assert drawn[0][0].family == "catboost"
    assert {one.family for one in drawn[0]} == {"catboost", "lightgbm"}
    for one in drawn[0]:
        assert 0.02 <= (one.rate or 0) <= 0.5
        assert 4 <= one.parameters.get("depth", 4) <= 9
        assert 6 <= one.parameters.get("num_leaves", 6) <= 255
    assert not list(trials(["linear"], seed=1))


def test_portfolio_works_without_catboost_and_spares_large_tables() -> None:
    names = [c.name for c in portfolio(cells=10**7, chronological=True, catboost=False)]
    assert names[0] == "lgb_std"
    assert not {"rf", "xgb_deep", "cat_d6", "cat_default"} & set(names)
    assert "cat_default" in [c.name for c in portfolio(cells=10, chronological=True, catboost=True)]

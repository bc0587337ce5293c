"""A run's script and notebook give the run's own figures, to the last digit, where there is no HydroML."""

import ast
import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from hydroml.adapters.learning import ScikitLearner
from hydroml.adapters.learning.environment import distribution
from hydroml.application.ports.learning import Trained, TrainingTask
from hydroml.domain.experiments.algorithms import ALGORITHMS
from hydroml.domain.experiments.preparation import (
    ColumnGroup,
    DatePart,
    Dates,
    Encoding,
    Imputation,
    Numbers,
    Past,
    Preparation,
    Scaling,
    Statistic,
    Texts,
    Transform,
    Window,
)
from hydroml.domain.experiments.runs import RunStateError
from hydroml.domain.experiments.specification import AlgorithmChoice, Budget, Problem, Split, SplitKind
from tests.integration.learning.weather import FEATURES, SMALL, weather
from tests.reproducing import reproduction_of, said_by, unpacked
from tests.tasks import GIGABYTE, task_of, train

TARGETS = {Problem.REGRESSION: "y", Problem.BINARY: "high", Problem.MULTICLASS: "site"}
AWKWARD = st.text(st.sampled_from("ab'\"\\\n\r\t{}#%\u2028é𝕏 "), min_size=1, max_size=12)
CHANCE = Split(SplitKind.KFOLD, folds=3, repeats=2, reason="to see")


def _trained(
    folder: Path, name: str, problem: Problem = Problem.REGRESSION, table: Any = None, **options: Any
) -> tuple[TrainingTask, Trained]:
    target = TARGETS[problem]
    chosen: dict[str, Any] = {"features": [f for f in FEATURES if f != target], "target": target} | options
    values = chosen.pop("values", SMALL.get(name, {}))
    task = task_of(table or weather(), folder, problem=problem, algorithm=AlgorithmChoice(name, dict(values)), **chosen)
    return task, train(task, folder)


def _are_same(folder: Path, **runs: tuple[TrainingTask, Trained]) -> None:
    """The figures of each run, which has a name for whoever reads what fails; and the code is as linters want it."""
    scripts = [unpacked(reproduction_of(task, made), made, folder) / "experiment.py" for task, made in runs.values()]
    said = [line for line in said_by(*scripts).splitlines() if line.endswith((" identical.", " differ."))]
    counts = [
        sum(map(len, (made.outcome.metrics["test"], made.outcome.metrics["train"], *made.outcome.baselines.values())))
        for _, made in runs.values()
    ]
    expected = [f"All {count} figures are identical." for count in counts]
    assert dict(zip(runs, said, strict=True)) == dict(zip(runs, expected, strict=True))
    assert _faults(scripts) == ""


def _faults(scripts: Sequence[Path]) -> str:
    """What a linter and a formatter would change."""
    wanted = ["--isolated", "--line-length", "120", "--no-cache", "-q", *map(str, scripts)]
    done = [
        subprocess.run([sys.executable, "-m", "ruff", *command, *wanted], capture_output=True, text=True, check=False)
        for command in (["format", "--diff"], ["check", "--select", "E,F,I,W,B,UP"])
    ]
    return "".join(one.stdout + one.stderr for one in done)


@pytest.mark.parametrize("problem", TARGETS)
def test_each_algorithm(tmp_path: Path, problem: Problem) -> None:
    names = [name for name, one in ALGORITHMS.items() if name != "automatic" and problem in one.problems]
    _are_same(tmp_path, **{name: _trained(tmp_path, name, problem, seed=3) for name in names})


SPLITS: dict[str, tuple[Split, dict[str, Any]]] = {
    "random": (Split(SplitKind.RANDOM, reason="to see"), {"time_column": "day"}),
    "chronological": (Split(SplitKind.CHRONOLOGICAL, gap=0.05), {"time_column": "day", "group_column": "site"}),
    "water_years": (Split(SplitKind.WATER_YEARS, year_start=5), {"time_column": "day"}),
    "group": (Split(SplitKind.GROUP, test_size=0.4), {"group_column": "site"}),
    "kfold": (CHANCE, {}),
    "group_kfold": (Split(SplitKind.GROUP_KFOLD, folds=3), {"group_column": "site", "time_column": "day"}),
    "expanding": (Split(SplitKind.EXPANDING, folds=3), {"time_column": "day", "group_column": "site"}),
    "sliding": (Split(SplitKind.SLIDING, folds=3, window=0.3), {"time_column": "count"}),
    "sample": (Split(SplitKind.EXPANDING, folds=2, training_rows=50), {"time_column": "day"}),
    "validation": (Split(SplitKind.RANDOM, validation=2), {"metrics": ("nse", "kge_2012")}),
}


def test_each_split(tmp_path: Path) -> None:
    runs = {}
    for name, (split, options) in SPLITS.items():
        settings = {"features": [f for f in FEATURES if f not in options.values()], "split": split, **options}
        runs[name] = _trained(tmp_path, "extra_trees", **settings)
    _are_same(tmp_path, **runs)


def test_splits_by_class(tmp_path: Path) -> None:
    kinds = (SplitKind.STRATIFIED, SplitKind.STRATIFIED_KFOLD)
    runs = {
        f"{kind}_{problem}": _trained(tmp_path, "logistic_regression", problem, split=Split(kind, folds=3))
        for kind in kinds
        for problem in (Problem.BINARY, Problem.MULTICLASS)
    }
    _are_same(tmp_path, **runs)


def test_a_season_is_a_baseline_and_a_series_has_peaks(tmp_path: Path) -> None:
    task, trained = _trained(tmp_path, "ridge", table=weather(800), time_column="day")
    assert "seasonal_mean" in trained.outcome.baselines
    assert "peak_timing" in trained.outcome.metrics["test"]
    _are_same(tmp_path, run=(task, trained))


NUMBERS = {
    "rain": Numbers(Imputation.MEAN, transform=Transform.POWER, scale=Scaling.ROBUST),
    "level": Numbers(Imputation.CONSTANT, fill=-1.5, transform=Transform.QUANTILE, scale=Scaling.MIN_MAX),
    "lag": Numbers(Imputation.MOST_FREQUENT, transform=Transform.LOG1P, scale=Scaling.STANDARD),
}
TEXTS = [
    Texts(encode=Encoding.ORDINAL, max_categories=4),
    Texts(encode=Encoding.ONE_HOT, rare=0.1),
    Texts(encode=Encoding.TARGET, folds=3),
    Texts(encode=Encoding.FREQUENCY),
    Texts(encode=Encoding.FREQUENCY, impute=Imputation.MOST_FREQUENT, indicator=True),
    Texts(encode=Encoding.HASHING, hash_columns=8, impute=Imputation.CONSTANT, fill='"""\n', indicator=True),
    Texts(encode=Encoding.HASHING, hash_columns=8),
]


@pytest.mark.parametrize(("algorithm", "split"), [("ridge", Split()), ("lightgbm", CHANCE)])
def test_each_preparation(tmp_path: Path, algorithm: str, split: Split) -> None:
    """Groups of columns differ, and in some folds a column has few values or none."""
    wave = np.full(240, np.nan)
    wave[:30] = np.arange(30.0)
    table = weather() | {"rare": wave, "place": weather()["site"]}
    groups = tuple(ColumnGroup(columns=(name,), numbers=numbers) for name, numbers in NUMBERS.items())
    features = ("rain", "wet", "site", "level", "lag", "count", "nothing", "rare", "place")
    runs = {}
    for number, texts in enumerate(TEXTS):
        preparation = Preparation(numbers=Numbers(transform=Transform.LOG1P), texts=texts, groups=groups)
        options: dict[str, Any] = {"features": features, "preparation": preparation, "split": split}
        runs[f"{texts.encode}_{number}"] = _trained(tmp_path, algorithm, table=table, **options)
    _are_same(tmp_path, **runs)


def test_dates_and_the_past(tmp_path: Path) -> None:
    preparation = Preparation(
        dates=Dates((DatePart.YEAR, DatePart.MONTH, DatePart.DAY_OF_YEAR, DatePart.WEEK_DAY), cyclic=True),
        past=(
            Past(columns=("rain", "y"), lags=(1, 3)),
            Past(columns=("rain",), windows=(Window(Statistic.MEAN, 7), Window(Statistic.MAX, 3, lag=0))),
        ),
    )
    options: dict[str, Any] = {"features": ("day", "rain", "site"), "time_column": "day", "group_column": "site"}
    options["preparation"] = preparation
    boosted = _trained(tmp_path, "hist_gradient_boosting", **options)
    _are_same(tmp_path, boosted=boosted, classes=_trained(tmp_path, "xgboost", Problem.BINARY, **options))


@pytest.mark.parametrize(
    ("problem", "split"),
    [
        (Problem.REGRESSION, Split(SplitKind.EXPANDING, folds=2)),
        (Problem.REGRESSION, Split(SplitKind.CHRONOLOGICAL, validation=2)),
        (Problem.MULTICLASS, Split()),
    ],
)
def test_what_a_search_found(tmp_path: Path, problem: Problem, split: Split) -> None:
    time: dict[str, Any] = {"time_column": "day"} if problem is Problem.REGRESSION else {}
    options: dict[str, Any] = time | {
        "split": split,
        "budget": Budget(6),
        "features": ("rain", "wave", "count", "wet"),
    }
    task, trained = _trained(tmp_path, "automatic", problem, values={"folds": 3}, **options)
    _are_same(tmp_path, run=(task, trained))


@pytest.mark.parametrize("problem", [Problem.REGRESSION, Problem.BINARY])
def test_every_family_of_a_search(tmp_path: Path, problem: Problem) -> None:
    """Whatever a search may find, its members are written as they are fitted."""
    members: list[dict[str, Any]] = [
        {"name": one, "title": one, "family": one, "parameters": {}, "learning_rate": rate, "rounds": many, "weight": 1}
        for one, rate, many in (
            ("lightgbm", 0.1, 7), ("xgboost", 0.2, 5), ("catboost", 0.3, 5), ("extra_trees", None, 6),
            ("random_forest", None, 5), ("perceptron", None, 4), ("linear", None, 1), ("kernel", None, 1),
        )
    ]  # fmt: skip
    target, found = TARGETS[problem], {"searches": [members], "items": []}
    choice = AlgorithmChoice("automatic")
    task = task_of(weather(), tmp_path, target=target, features=FEATURES, problem=problem, algorithm=choice)
    task = replace(task, found=found)
    _are_same(tmp_path, run=(task, train(task, tmp_path)))


def test_a_search_without_a_record_is_refused(tmp_path: Path) -> None:
    _, trained = _trained(tmp_path, "ridge")
    reproduction = reproduction_of(task_of(weather(), tmp_path, algorithm=AlgorithmChoice("automatic")), trained)
    with pytest.raises(RunStateError, match="no record"):
        ScikitLearner(GIGABYTE, 1).write(reproduction)


def test_the_notebook_says_the_same(tmp_path: Path) -> None:
    task, trained = _trained(tmp_path, "ridge", time_column="day")
    place = unpacked(reproduction_of(task, trained), trained, tmp_path)
    notebook = json.loads((place / "experiment.ipynb").read_text("utf-8"))
    cells = ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]
    # as Jupyter does: one after the other, in one namespace that knows of no file
    runner = place / "cells.py"
    runner.write_text(f"space = {{'__name__': '__main__'}}\nfor cell in {cells!r}:\n    exec(cell, space)\n", "utf-8")
    assert said_by(runner) == said_by(place / "experiment.py")
    assert (notebook["nbformat"], notebook["nbformat_minor"]) == (4, 5)
    assert len({cell["id"] for cell in notebook["cells"]}) == len(notebook["cells"])


def test_the_folder_tells_what_it_is(tmp_path: Path) -> None:
    task, trained = _trained(tmp_path, "xgboost", Problem.BINARY)
    place = unpacked(reproduction_of(task, trained, "a_b <script>\n# no title"), trained, tmp_path)
    readme = (place / "README.md").read_text("utf-8")
    assert "\\<script\\>" in readme
    assert "\n# no title" not in readme
    requirements = (place / "requirements.txt").read_text("utf-8")
    environment = trained.outcome.environment
    for name in ("scikit-learn", "pandas", "numpy", "pyarrow", distribution("xgboost")):
        assert f"\n{name}=={environment[name]}\n" in requirements
    assert "hydroml" not in requirements
    assert pq.read_table(place / "data.parquet").equals(pq.read_table(task.file))
    splits = pq.read_table(place / "splits.parquet")
    assert splits.schema.names == ["fold", "part", "position"]
    assert splits.num_rows == trained.outcome.counts.train + trained.outcome.counts.test


def test_what_differs_is_said(tmp_path: Path) -> None:
    task, trained = _trained(tmp_path, "ridge")
    place = unpacked(reproduction_of(task, trained), trained, tmp_path)
    table = weather()
    table["wave"] = -2 * table["wave"] + 1
    table["rain"] = pa.nulls(240, pa.float64())
    pq.write_table(pa.table(table), place / "data.parquet")
    lines = said_by(place / "experiment.py").splitlines()
    assert "figures differ" in lines[-1]
    assert any("the run has" in line for line in lines)


@hypothesis_settings(max_examples=60, deadline=None)
@given(st.lists(AWKWARD, min_size=7, max_size=7, unique=True))
def test_no_name_becomes_code(tmp_path_factory: pytest.TempPathFactory, names: list[str]) -> None:
    """Names with quotes, line breaks and backslashes stand in the script as literals, and change nothing else."""
    plain = _script_of(list("abcdefg"), tmp_path_factory)
    tree = _script_of(names, tmp_path_factory)
    assert set(names) <= {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)}
    assert _shape(tree) == _shape(plain)


def _script_of(names: list[str], folders: pytest.TempPathFactory) -> ast.Module:
    """Of a run whose five columns, data and filling are named so."""
    *columns, data, fill = names
    values = [pa.array(one) for name, one in weather().items() if name in ("day", "rain", "wet", "site", "y")]
    preparation = Preparation(
        texts=Texts(impute=Imputation.CONSTANT, fill=fill),
        dates=Dates((DatePart.MONTH,)),
        past=(Past(columns=(columns[1],), lags=(1,)),),
    )
    folder = folders.mktemp("names")
    task = task_of(
        pa.table(values, names=columns),
        folder,
        target=columns[4],
        features=tuple(columns[:4]),
        time_column=columns[0],
        group_column=columns[3],
        preparation=preparation,
    )
    if "trained" not in _KEPT:
        _KEPT["trained"] = train(task, folder)
    return ast.parse(ScikitLearner(GIGABYTE, 1).write(reproduction_of(task, _KEPT["trained"], data)).script)


_KEPT: dict[str, Trained] = {}


def _shape(tree: ast.Module) -> str:
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            node.value = ""
    return ast.dump(tree)

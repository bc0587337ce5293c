"""What trainings store is what reports draw: every plot of a run's page, with its own numbers."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from hydroml.adapters.reporting.svg import drawing
from hydroml.domain.experiments.specification import AlgorithmChoice, Problem, Split, SplitKind
from hydroml.domain.reporting.document import Figure
from hydroml.domain.reporting.figures import figures
from hydroml.domain.reporting.plots import Boxes, Line, Points
from tests.integration.learning.test_explaining import FEATURES, ROWS, TABLE, documents
from tests.tasks import task_of, train

DAYS = [date(2001, 1, 1) + timedelta(days=day) for day in range(ROWS)]


def stored(folder: Path, target: str, algorithm: str, **options: Any) -> dict[str, Any]:
    task = task_of(
        TABLE | {"day": DAYS},
        folder,
        target,
        features=FEATURES,
        algorithm=AlgorithmChoice(algorithm),
        thorough=True,
        **options,
    )
    return documents(train(task, folder))


def drawn(artifacts: dict[str, Any]) -> dict[str, Figure]:
    """By the words that their captions begin with."""
    found = {" ".join(figure.caption.split()[:2]): figure for figure in figures(artifacts, "y")}
    for figure in found.values():
        assert "nan" not in drawing(figure.plot, figure.caption)
    return found


def test_a_regression_in_time_has_all_its_plots(tmp_path: Path) -> None:
    found = stored(
        tmp_path, "y", "ridge", time_column="day", split=Split(SplitKind.CHRONOLOGICAL), problem=Problem.REGRESSION
    )
    plots = drawn(found)
    assert list(plots) == [
        "Observed and", "Predicted against", "Duration curves", "Residuals (observed", "Permutation importance",
        "Shapley values", "Partial dependence:", "Learning curve:",
    ]  # fmt: skip
    observed, predicted = plots["Observed and"].plot.panels[0].marks
    assert isinstance(observed, Line)
    assert isinstance(predicted, Line)
    assert list(observed.y) == found["predictions"]["observed"]
    assert list(predicted.y) == found["predictions"]["predicted"]
    points = plots["Predicted against"].plot.panels[0].marks[0]
    assert isinstance(points, Points)
    assert [list(pair) for pair in zip(points.x, points.y, strict=True)] == found["scatter"]["points"]
    bars = plots["Residuals (observed"].plot.panels[0].marks[0]
    assert isinstance(bars, Boxes)
    assert list(bars.y1) == found["residuals"]["counts"]
    assert len(plots["Partial dependence:"].plot.panels) == len(found["dependence"]["items"])


@pytest.mark.parametrize(
    ("target", "problem", "expected"),
    [
        ("flood", Problem.BINARY, ["Receiver operating", "Precision and", "Calibration: the"]),
        ("level", Problem.MULTICLASS, ["Calibration: the"]),
    ],
)
def test_classes_have_theirs(tmp_path: Path, target: str, problem: Problem, expected: list[str]) -> None:
    found = stored(tmp_path, target, "logistic_regression", problem=problem)
    plots = drawn(found)
    assert list(plots)[: len(expected)] == expected
    curve = plots["Calibration: the"].plot.panels[0].marks[1]
    assert isinstance(curve, Line)
    assert (list(curve.x), list(curve.y)) == (found["calibration"]["predicted"], found["calibration"]["observed"])
    if problem is Problem.BINARY:
        roc = plots["Receiver operating"].plot.panels[0].marks[1]
        assert isinstance(roc, Line)
        assert (list(roc.x), list(roc.y)) == (found["roc"]["fpr"], found["roc"]["tpr"])

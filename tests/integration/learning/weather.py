"""A table of every kind of column, and trainings on it."""

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from hydroml.application.ports.learning import Trained
from hydroml.domain.experiments.specification import AlgorithmChoice, Problem
from tests.tasks import task_of, train

ROWS = 240
SMALL: dict[str, dict[str, Any]] = {
    "random_forest": {"n_estimators": 8},
    "extra_trees": {"n_estimators": 8},
    "hist_gradient_boosting": {"max_iter": 15},
    "lightgbm": {"n_estimators": 15},
    "xgboost": {"n_estimators": 15},
    "catboost": {"iterations": 15, "learning_rate": 0.3},
    "multilayer_perceptron": {"hidden_layers": "64", "max_iter": 40, "learning_rate_init": 0.01},
}
"""Settings that make an algorithm quick."""


def weather(rows: int = ROWS) -> dict[str, Any]:
    """Ten columns of every kind, in order of time, with gaps; y follows rain and site."""
    random = np.random.default_rng(3)
    rain, site = random.gamma(2, 3, rows), random.choice(list("abcde"), rows, p=[0.4, 0.3, 0.2, 0.07, 0.03])
    y = 2 * rain + (site == "b") * 5 + random.normal(0, 1, rows)
    days = [date(2019, 1, 1) + timedelta(days=i) for i in range(rows)]
    return {
        "day": days,
        "rain": pa.array(rain, mask=np.arange(rows) % 9 == 0),
        "wet": pa.array(rain > 6, mask=np.arange(rows) % 11 == 0),
        "site": pa.array(site, mask=np.arange(rows) % 13 == 0),
        "level": pa.array([Decimal(int(v * 100)) / 100 for v in rain]),
        "lag": pa.array([timedelta(minutes=int(v)) for v in rain]),
        "wave": np.sin(np.arange(rows)),
        "count": random.integers(0, 50, rows),
        "nothing": pa.nulls(rows, pa.float64()),
        "y": pa.array(y, mask=np.arange(rows) % 20 == 0),
        "high": np.where(y > 12, "yes", "no"),
    }


FEATURES = ("rain", "wet", "site", "level", "lag", "wave", "count", "nothing")


def trained(folder: Path, name: str | None = None, values: Mapping[str, Any] | None = None, **options: Any) -> Trained:
    name = name or ("ridge" if options.get("problem") in (None, Problem.REGRESSION) else "logistic_regression")
    choice = AlgorithmChoice(name, dict(SMALL.get(name, {}) if values is None else values))
    settings = {"features": FEATURES} | options
    table = settings.pop("table", None) or weather()
    return train(task_of(table, folder, algorithm=choice, **settings), folder)

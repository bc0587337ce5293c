"""What is tried, in which order: configurations that did well together on tables of many kinds."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

MANY_CELLS = 1_000_000
"""Rows times prepared columns above which the second forest and the deep trees are left out: they take too long."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A configuration: `family` names a learner, `share` is the part of the time left that it may take."""

    name: str
    title: str
    family: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    share: float = 0.28
    rate: float | None = None
    """A booster's learning rate; it is raised where time would not suffice for enough trees."""
    sharp: bool = False
    """Learns so fast on purpose."""
    patient: bool = True
    """Stops by the folds' validation; else it learns as many rounds as it is told."""


_QUICK = 0.15

_STANDARD = Candidate(
    "lgb_std", "LightGBM, 31 leaves", "lightgbm",
    {"num_leaves": 31, "min_child_samples": 20, "colsample_bytree": 0.9, "subsample": 0.9}, rate=0.08,
)  # fmt: skip
_DEFAULT_CATBOOST = Candidate("cat_default", "CatBoost, its defaults", "catboost", {}, patient=False)
_OTHERS = (
    Candidate("linear", "Linear model", "linear", share=_QUICK),
    Candidate("et", "Extra trees", "extra_trees", share=_QUICK),
    Candidate("cat_d6", "CatBoost, depth 6", "catboost",
              {"depth": 6, "boosting_type": "Plain", "max_ctr_complexity": 1}, rate=0.03),
    Candidate("lgb_big", "LightGBM, 127 leaves", "lightgbm",
              {"num_leaves": 127, "min_child_samples": 5, "colsample_bytree": 0.7, "subsample": 0.9}, rate=0.04),
    Candidate("mlp", "Multilayer perceptron", "perceptron", share=_QUICK),
    Candidate("xgb_d6", "XGBoost, depth 6", "xgboost",
              {"max_depth": 6, "min_child_weight": 1.0, "subsample": 0.8, "colsample_bytree": 0.8}, rate=0.06),
    Candidate("lgb_xt", "LightGBM, random branches", "lightgbm",
              {"num_leaves": 63, "min_child_samples": 10, "colsample_bytree": 0.8, "extra_trees": True}, rate=0.06),
    Candidate("lgb_sharp", "LightGBM, sharp", "lightgbm",
              {"num_leaves": 8, "min_child_samples": 20}, rate=0.4, sharp=True),
    Candidate("cat_d8", "CatBoost, depth 8", "catboost",
              {"depth": 8, "l2_leaf_reg": 5.0, "random_strength": 2.0, "boosting_type": "Plain",
               "max_ctr_complexity": 1}, rate=0.03),
    Candidate("kernel", "Kernel approximation", "kernel", share=_QUICK),
    Candidate("rf", "Random forest", "random_forest", share=_QUICK),
    Candidate("lgb_small", "LightGBM, 8 leaves", "lightgbm",
              {"num_leaves": 8, "min_child_samples": 10, "colsample_bytree": 0.6, "subsample": 0.8, "reg_lambda": 5.0},
              rate=0.05),
    Candidate("xgb_deep", "XGBoost, depth 10", "xgboost",
              {"max_depth": 10, "min_child_weight": 3.0, "subsample": 0.7, "colsample_bytree": 0.5, "reg_lambda": 3.0},
              rate=0.04),
)  # fmt: skip
_SLOW = ("rf", "xgb_deep")


def portfolio(*, cells: int, chronological: bool, catboost: bool) -> Iterator[Candidate]:
    """The candidates for a table of so many cells, in the order in which they are tried."""
    yield _STANDARD
    if chronological and catboost:
        yield _DEFAULT_CATBOOST
    for candidate in _OTHERS:
        too_slow = cells > MANY_CELLS and candidate.name in _SLOW
        if not too_slow and (catboost or candidate.family != "catboost"):
            yield candidate


TUNED = {"lightgbm": "LightGBM", "catboost": "CatBoost", "xgboost": "XGBoost"}
"""The families of which trials try other settings in the time left, with their titles."""

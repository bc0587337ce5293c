"""The trees of every kind of ensemble in one form: nodes that go left where the value is small enough."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from hydroml.adapters.learning.compiled import NotCompiledError
from hydroml.adapters.learning.frames import Array

INTEGERS = (
    "nodes_featureids", "nodes_truenodeids", "nodes_trueleafs", "nodes_falsenodeids", "nodes_falseleafs",
    "nodes_missing_value_tracks_true", "leaf_targetids", "tree_roots",
)  # fmt: skip
_LEQ, _LT = 0, 1


@dataclass(frozen=True, slots=True)
class Leaf:
    """What is added to each of the ensemble's results from `target` on."""

    values: Sequence[float]


@dataclass(frozen=True, slots=True)
class Branch:
    """Values up to `threshold` go left, and missing ones where `missing_left` says so."""

    feature: int
    threshold: float
    missing_left: bool
    left: "Branch | Leaf"
    right: "Branch | Leaf"


@dataclass(frozen=True, slots=True)
class Ensemble:
    """Trees, each with the result it begins to add to; `link` is what makes probabilities of the sums."""

    trees: Sequence[tuple[Branch | Leaf, int]]
    targets: int
    base: Any
    link: str = ""
    strict: bool = False
    """Whether a value that equals the threshold goes right."""
    single: bool = False
    """Whether values are compared in single precision."""

    def table(self) -> dict[str, list[Any]]:
        """As the attributes of ONNX's TreeEnsemble want it."""
        rows = _Rows(_LT if self.strict else _LEQ)
        for grown, target in self.trees:
            # a root is a branch there
            tree = Branch(0, 0.0, True, grown, grown) if isinstance(grown, Leaf) else grown
            # a tree adds to one result in ONNX: one with several values stands there several times
            for value in range(_width(tree)):
                rows.found["tree_roots"].append(rows.branch(tree, target + value, value))
        return rows.found


def _width(tree: Branch | Leaf) -> int:
    while isinstance(tree, Branch):
        tree = tree.left
    return len(tree.values)


@dataclass
class _Rows:
    mode: int
    found: dict[str, list[Any]] = field(
        default_factory=lambda: {name: [] for name in (*INTEGERS, "splits", "modes", "weights")}
    )

    def branch(self, one: Branch, target: int, value: int) -> int:
        found = self.found
        at = len(found["splits"])
        found["splits"].append(one.threshold)
        found["modes"].append(self.mode)
        found["nodes_featureids"].append(one.feature)
        found["nodes_missing_value_tracks_true"].append(one.missing_left)
        sides = (("true", one.left), ("false", one.right))
        for side, child in sides:
            found[f"nodes_{side}nodeids"].append(0)
            found[f"nodes_{side}leafs"].append(isinstance(child, Leaf))
        for side, child in sides:
            place = self.branch(child, target, value) if isinstance(child, Branch) else self._leaf(child, target, value)
            found[f"nodes_{side}nodeids"][at] = place
        return at

    def _leaf(self, leaf: Leaf, target: int, value: int) -> int:
        self.found["leaf_targetids"].append(target)
        self.found["weights"].append(leaf.values[value])
        return len(self.found["weights"]) - 1


def read(model: Any) -> Ensemble:
    """Raises NotCompiledError for a model that is none of the ensembles known."""
    name = type(model).__name__
    if name.startswith(("RandomForest", "ExtraTrees")):
        return _forest(model, classes=name.endswith("Classifier"))
    if name.startswith("HistGradientBoosting"):
        return _histogram(model)
    if name.startswith("LGBM"):
        return _lightgbm(model)
    if name.startswith("XGB"):
        return _xgboost(model)
    raise NotCompiledError(f"a {name}")


def _forest(model: Any, *, classes: bool) -> Ensemble:
    count = len(model.estimators_)
    trees = []
    for member in model.estimators_:
        tree = member.tree_
        values = tree.value[:, 0, :]
        if classes:
            values = values / values.sum(axis=1, keepdims=True)
        values = values / count
        trees.append((_sklearn_tree(tree, values), 0))
    targets = len(model.classes_) if classes else 1
    return Ensemble(trees, targets, np.zeros(targets), single=True)


def _sklearn_tree(tree: Any, values: Array) -> Branch | Leaf:
    left, right = tree.children_left, tree.children_right
    missing = getattr(tree, "missing_go_to_left", np.zeros(len(left)))

    def node(at: int) -> Branch | Leaf:
        if left[at] < 0:
            return Leaf(values[at].tolist())
        return Branch(
            int(tree.feature[at]), float(tree.threshold[at]), bool(missing[at]), node(left[at]), node(right[at])
        )

    return node(0)


def _histogram(model: Any) -> Ensemble:
    per_round = model.n_trees_per_iteration_
    trees = []
    for predictors in model._predictors:  # noqa: SLF001 - scikit-learn shows its trees nowhere else
        for target, predictor in enumerate(predictors):
            trees.append((_histogram_tree(predictor.nodes), target))
    base = np.reshape(model._baseline_prediction, -1)  # noqa: SLF001
    link = ("sigmoid" if per_round == 1 else "softmax") if hasattr(model, "classes_") else ""
    return Ensemble(trees, per_round, base, link)


def _histogram_tree(nodes: Any) -> Branch | Leaf:
    def node(at: int) -> Branch | Leaf:
        one = nodes[at]
        if one["is_leaf"]:
            return Leaf([float(one["value"])])
        return Branch(
            int(one["feature_idx"]), float(one["num_threshold"]), bool(one["missing_go_to_left"]),
            node(int(one["left"])), node(int(one["right"])),
        )  # fmt: skip

    return node(0)


def _lightgbm(model: Any) -> Ensemble:
    document = model.booster_.dump_model()
    per_round = document["num_tree_per_iteration"]
    trees = [(_lightgbm_tree(one["tree_structure"]), one["tree_index"] % per_round) for one in document["tree_info"]]
    link = ("sigmoid" if per_round == 1 else "softmax") if hasattr(model, "classes_") else ""
    return Ensemble(trees, per_round, np.zeros(per_round), link)


def _lightgbm_tree(one: Any) -> Branch | Leaf:
    if "leaf_value" in one:
        return Leaf([float(one["leaf_value"])])
    threshold = float(one["threshold"])
    # where training had no missing values, LightGBM takes one for 0
    missing = bool(one["default_left"]) if one["missing_type"] == "NaN" else threshold >= 0
    left, right = _lightgbm_tree(one["left_child"]), _lightgbm_tree(one["right_child"])
    return Branch(int(one["split_feature"]), threshold, missing, left, right)


def _xgboost(model: Any) -> Ensemble:
    learner = json.loads(bytes(model.get_booster().save_raw("json")))["learner"]
    held = learner["gradient_booster"]["model"]
    trees = [(_xgboost_tree(one), int(at)) for one, at in zip(held["trees"], held["tree_info"], strict=True)]
    targets = max(int(learner["learner_model_param"]["num_class"]), 1)
    score = np.array(list(_scores(learner["learner_model_param"]["base_score"])))
    objective = learner["objective"]["name"]
    if objective == "binary:logistic":
        score = np.log(score / (1 - score))
    link = {"binary:logistic": "sigmoid", "multi:softprob": "softmax"}.get(objective, "")
    return Ensemble(trees, targets, score, link, strict=True, single=True)


def _scores(text: str) -> Iterator[float]:
    for one in text.strip("[]").split(","):
        yield float(one)


def _xgboost_tree(one: Any) -> Branch | Leaf:
    left, right, conditions = one["left_children"], one["right_children"], one["split_conditions"]

    def node(at: int) -> Branch | Leaf:
        if left[at] < 0:
            return Leaf([float(np.float32(conditions[at]))])
        missing = bool(one["default_left"][at])
        threshold = float(np.float32(conditions[at]))  # the text of a single has fewer digits than a double
        return Branch(int(one["split_indices"][at]), threshold, missing, node(left[at]), node(right[at]))

    return node(0)

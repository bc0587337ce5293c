"""How each family of candidates is fitted round by round within a limit of time, and once more to all rows.

Classes come as codes from 0; a fold that lacks some has codes of its own.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.kernel_approximation import Nystroem
from sklearn.linear_model import LogisticRegression, RidgeCV
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from hydroml.adapters.learning.automatic.pace import Pace
from hydroml.adapters.learning.automatic.portfolio import Candidate
from hydroml.adapters.learning.automatic.scores import floored
from hydroml.adapters.learning.frames import Array

_MOST_ROUNDS = {"lightgbm": 3_000, "xgboost": 3_000, "catboost": 2_000}
_DEFAULT_ROUNDS = 1_000
_TREES, _TREES_AT_ONCE = 250, 25
_NODES = 2_500_000
"""Of a forest: about 200 MB of model."""
_FEWEST_TREES = 50
_EPOCHS, _EPOCHS_WITHOUT_GAIN = 120, 10
_CENTRES = 400
_ALPHAS = np.logspace(-3, 4, 15)


@dataclass(frozen=True, slots=True)
class Validation:
    """Rows by which a learner sees when to stop."""

    features: Array
    target: Array


@dataclass(frozen=True, slots=True)
class Setting:
    """What a learner is made for: the table's size matters to forests and networks."""

    candidate: Candidate
    of_classes: bool
    seed: int
    threads: int | None
    rows: int
    columns: int
    rate: float | None = None


class Learner(Protocol):
    """Fits one candidate. `rounds` are trees, or epochs; 1 for what is fitted at once."""

    most_rounds: int
    patience: int | None

    def fit(self, features: Array, target: Array, validation: Validation, rounds: int, pace: Pace) -> Any:
        """A model of at most so many rounds, which `pace` is told of and may end."""

    def predict(self, model: Any, features: Array, rounds: int) -> Array:
        """What it said after so many rounds: numbers, or a column of probabilities for each class it knows."""

    def unfitted(self, rounds: int) -> Any:
        """A scikit-learn estimator that learns so many rounds and is told nothing else."""


def learner(setting: Setting) -> Learner:
    return _LEARNERS[setting.candidate.family](setting)


class _Booster:
    def __init__(self, setting: Setting) -> None:
        self._setting = setting
        candidate = setting.candidate
        self.most_rounds = _MOST_ROUNDS[candidate.family] if candidate.patient else _DEFAULT_ROUNDS
        rate = setting.rate or candidate.rate
        self.patience = None if rate is None or not candidate.patient else max(20, round(3 / rate))
        self._parameters = dict(candidate.parameters) | ({} if rate is None else {"learning_rate": rate})

    def _measure(self, target: Array, names: tuple[str, str, str]) -> str:
        """The name of the loss to stop by: for numbers, for two classes, for more."""
        return names[0] if not self._setting.of_classes else names[1 if len(np.unique(target)) < 3 else 2]

    def _predicted(self, model: Any, features: Array, **rounds: Any) -> Array:
        predict = model.predict_proba if self._setting.of_classes else model.predict
        return np.asarray(predict(features, **rounds), dtype=np.float64)


class _LightGBM(_Booster):
    def unfitted(self, rounds: int) -> Any:
        from lightgbm import LGBMClassifier, LGBMRegressor

        return (LGBMClassifier if self._setting.of_classes else LGBMRegressor)(
            n_estimators=rounds,
            subsample_freq=1,
            deterministic=True,
            force_col_wise=True,
            n_jobs=self._setting.threads,
            random_state=self._setting.seed,
            verbose=-1,
            **self._parameters,
        )

    def fit(self, features: Array, target: Array, validation: Validation, rounds: int, pace: Pace) -> Any:
        from lightgbm.callback import EarlyStopException

        def told(state: Any) -> None:
            if pace.tell(state.evaluation_result_list[0][2]):
                raise EarlyStopException(state.iteration, state.evaluation_result_list)

        return self.unfitted(rounds).fit(
            features,
            target,
            eval_set=[(validation.features, validation.target)],
            eval_metric=self._measure(target, ("rmse", "binary_logloss", "multi_logloss")),
            callbacks=[told],
        )

    def predict(self, model: Any, features: Array, rounds: int) -> Array:
        return self._predicted(model, features, num_iteration=rounds)


class _XGBoost(_Booster):
    def unfitted(self, rounds: int) -> Any:
        from xgboost import XGBClassifier, XGBRegressor

        return (XGBClassifier if self._setting.of_classes else XGBRegressor)(
            n_estimators=rounds,
            tree_method="hist",
            n_jobs=self._setting.threads,
            random_state=self._setting.seed,
            **self._parameters,
        )

    def fit(self, features: Array, target: Array, validation: Validation, rounds: int, pace: Pace) -> Any:
        from xgboost.callback import TrainingCallback

        measure = self._measure(target, ("rmse", "logloss", "mlogloss"))

        class Told(TrainingCallback):
            def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:  # noqa: ARG002
                return pace.tell(evals_log["validation_0"][measure][-1])

        model = self.unfitted(rounds).set_params(eval_metric=measure, callbacks=[Told()])
        model.fit(features, target, eval_set=[(validation.features, validation.target)], verbose=False)
        return model.set_params(callbacks=None)

    def predict(self, model: Any, features: Array, rounds: int) -> Array:
        return self._predicted(model, features, iteration_range=(0, rounds))


class _CatBoost(_Booster):
    def unfitted(self, rounds: int) -> Any:
        from catboost import CatBoostClassifier, CatBoostRegressor

        return (CatBoostClassifier if self._setting.of_classes else CatBoostRegressor)(
            iterations=rounds,
            thread_count=self._setting.threads,
            random_seed=self._setting.seed,
            allow_writing_files=False,
            verbose=False,
            **self._parameters,
        )

    def fit(self, features: Array, target: Array, validation: Validation, rounds: int, pace: Pace) -> Any:
        measure = self._measure(target, ("RMSE", "Logloss", "MultiClass"))

        class Told:
            def after_iteration(self, info: Any) -> bool:
                return not pace.tell(info.metrics["validation"][measure][-1])

        return self.unfitted(rounds).fit(
            features,
            target,
            eval_set=(validation.features, validation.target),
            use_best_model=False,
            callbacks=[Told()],
        )

    def predict(self, model: Any, features: Array, rounds: int) -> Array:
        return self._predicted(model, features, ntree_end=rounds)


class _Forest:
    patience: int | None = None

    def __init__(self, setting: Setting) -> None:
        self._setting = setting
        leaf = 1 if setting.of_classes else 2
        self._leaf = max(leaf, -(-2 * setting.rows * _FEWEST_TREES // _NODES))
        nodes = max(2 * setting.rows // self._leaf, 1)
        self.most_rounds = int(min(max(_NODES // nodes, _FEWEST_TREES), _TREES))

    def unfitted(self, rounds: int) -> Any:
        setting = self._setting
        extra = setting.candidate.family == "extra_trees"
        settings: dict[str, Any] = {"min_samples_leaf": self._leaf}
        if setting.of_classes:
            kind = ExtraTreesClassifier if extra else RandomForestClassifier
            settings |= {"criterion": "entropy", "max_features": "sqrt"}
        else:
            kind = ExtraTreesRegressor if extra else RandomForestRegressor
            settings |= {"max_features": 0.6}
        return kind(n_estimators=rounds, n_jobs=setting.threads, random_state=setting.seed, **settings)

    def fit(self, features: Array, target: Array, validation: Validation, rounds: int, pace: Pace) -> Any:  # noqa: ARG002
        model = self.unfitted(0).set_params(warm_start=True)
        done = 0
        while done < rounds:
            done = min(done + _TREES_AT_ONCE, rounds)
            model.set_params(n_estimators=done).fit(features, target)
            if pace.tell():
                break
        pace.rounds = done
        return model.set_params(warm_start=False)

    def predict(self, model: Any, features: Array, rounds: int) -> Array:  # noqa: ARG002
        if not self._setting.of_classes:
            return np.asarray(model.predict(features))
        return floored(model.predict_proba(features), 1 / (4 * self._setting.rows))


class _Perceptron:
    """Epoch by epoch; what it knew after each is kept, as it is small."""

    patience: int | None = _EPOCHS_WITHOUT_GAIN
    most_rounds = _EPOCHS

    def __init__(self, setting: Setting) -> None:
        self._setting = setting

    def unfitted(self, rounds: int) -> Any:
        network = self._network(max_iter=rounds, n_iter_no_change=rounds + 1, random_state=self._setting.seed)
        if self._setting.of_classes:
            return network
        return TransformedTargetRegressor(network, transformer=StandardScaler())

    def _network(self, **settings: Any) -> Any:
        return (MLPClassifier if self._setting.of_classes else MLPRegressor)(
            hidden_layer_sizes=(128, 64),
            alpha=1e-3,
            learning_rate_init=2e-3,
            batch_size=int(min(max(self._setting.rows // 40, 32), 256, self._setting.rows)),
            **settings,
        )

    def fit(self, features: Array, target: Array, validation: Validation, rounds: int, pace: Pace) -> Any:
        # with a number for a seed each epoch would go through the rows in the same order
        network = self._network(random_state=np.random.RandomState(self._setting.seed))
        centre, spread = (0.0, 1.0) if self._setting.of_classes else (target.mean(), target.std() or 1.0)
        known = {"classes": np.unique(target)} if self._setting.of_classes else {}
        scaled = target if self._setting.of_classes else (target - centre) / spread
        epochs: list[tuple[list[Array], list[Array]]] = []
        model = _Epochs(network, epochs, centre, spread)
        for number in range(1, rounds + 1):
            network.partial_fit(features, scaled, **(known if number == 1 else {}))
            epochs.append(([c.copy() for c in network.coefs_], [i.copy() for i in network.intercepts_]))
            if pace.tell(self._loss(self.predict(model, validation.features, number), validation.target)):
                break
        return model

    def _loss(self, said: Array, target: Array) -> float:
        if self._setting.of_classes:
            return float(-np.log(np.maximum(said[np.arange(len(target)), target], 1e-15)).mean())
        return float(np.sqrt(((said - target) ** 2).mean()))

    def predict(self, model: "_Epochs", features: Array, rounds: int) -> Array:
        network = model.network
        newest = network.coefs_, network.intercepts_  # in which it goes on learning
        network.coefs_, network.intercepts_ = model.epochs[min(rounds, len(model.epochs)) - 1]
        if self._setting.of_classes:
            said = np.asarray(network.predict_proba(features))
        else:
            said = np.asarray(network.predict(features)) * model.spread + model.centre
        network.coefs_, network.intercepts_ = newest
        return said


@dataclass(frozen=True, slots=True)
class _Epochs:
    network: Any
    epochs: list[tuple[list[Array], list[Array]]]
    centre: float
    spread: float


class _AtOnce:
    """The linear model, and a kernel machine made linear by distances to some of the rows."""

    patience: int | None = None
    most_rounds = 1

    def __init__(self, setting: Setting) -> None:
        self._setting = setting

    def unfitted(self, rounds: int) -> Any:  # noqa: ARG002
        setting = self._setting
        kernel = setting.candidate.family == "kernel"
        last: Any
        if setting.of_classes:
            last = LogisticRegression(C=10.0 if kernel else 1.0, max_iter=300)
        else:
            last = TransformedTargetRegressor(RidgeCV(_ALPHAS), transformer=StandardScaler())
        if not kernel:
            return last
        centres = min(_CENTRES, max(setting.rows // 2, 1))
        # on one thread: products of matrices round by their sizes, which threads would share
        near = Nystroem(gamma=0.5 / setting.columns, n_components=centres, random_state=setting.seed, n_jobs=1)
        return Pipeline([("near", near), ("linear", last)])

    def fit(self, features: Array, target: Array, validation: Validation, rounds: int, pace: Pace) -> Any:  # noqa: ARG002
        model = self.unfitted(1).fit(features, target)
        pace.tell()
        return model

    def predict(self, model: Any, features: Array, rounds: int) -> Array:  # noqa: ARG002
        return np.asarray(model.predict_proba(features) if self._setting.of_classes else model.predict(features))


_LEARNERS: Mapping[str, Callable[[Setting], Learner]] = {
    "lightgbm": _LightGBM,
    "xgboost": _XGBoost,
    "catboost": _CatBoost,
    "extra_trees": _Forest,
    "random_forest": _Forest,
    "perceptron": _Perceptron,
    "linear": _AtOnce,
    "kernel": _AtOnce,
}

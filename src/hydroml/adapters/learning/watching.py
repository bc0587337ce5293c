"""How far a fit has come that runs in another thread, for each library in the way it lets on."""

from typing import Any

from joblib import parallel_config  # type: ignore[import-untyped]
from joblib.parallel import ThreadingBackend  # type: ignore[import-untyped]
from sklearn.base import clone
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import VotingClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import LabelEncoder


class Watch:
    """Fits the pipeline of an estimator that `algorithms.build` gave; reports when asked from another thread."""

    def __init__(self, estimator: Any) -> None:
        self._estimator = estimator
        self._inner = estimator.estimators[0][1] if isinstance(estimator, VotingClassifier) else estimator
        self._backend = _CountingBackend()
        self._rounds = _Rounds()

    def fit(self, pipeline: Pipeline, features: Any, target: Any) -> None:
        with parallel_config(backend=self._backend):
            if self._inner is self._estimator:
                self._fit(pipeline, features, target)
                return
            encoder = LabelEncoder().fit(target)
            self._fit(Pipeline([*pipeline.steps[:-1], ("learn", self._inner)]), features, encoder.transform(target))
            elect(self._estimator, [self._inner], encoder)

    def _fit(self, pipeline: Pipeline, features: Any, target: Any) -> None:
        match type(self._inner).__module__.partition(".")[0]:
            case "lightgbm":
                pipeline.fit(features, target, learn__callbacks=[self._rounds.lightgbm])
            case "catboost":
                pipeline.fit(features, target, learn__callbacks=[self._rounds])
                self._rounds.raise_if_stopped()
            case "xgboost":
                self._inner.set_params(callbacks=[self._rounds.xgboost()])
                pipeline.fit(features, target)
                self._inner.set_params(callbacks=None)
            case _:
                pipeline.fit(features, target)

    def stop(self) -> None:
        """For a library that swallows the exception which stops the others."""
        self._rounds.stopped = True

    def progress(self) -> float:
        """From 0 to 1; 0 for those that do not let on, as the linear models, and a forest on a single thread."""
        inner = self._inner
        if isinstance(inner, TransformedTargetRegressor):
            inner = getattr(inner, "regressor_", inner)
        boosted = getattr(inner, "_predictors", None)
        if boosted:
            return min(len(boosted) / int(inner.max_iter), 1.0)
        if hasattr(inner, "hidden_layer_sizes"):
            return min(getattr(inner, "n_iter_", 0) / int(inner.max_iter), 1.0)
        settings = inner.get_params(deep=False)
        steps = settings.get("n_estimators") or settings.get("iterations") or 1
        return min(max(self._backend.done, self._rounds.done) / int(steps), 1.0)


def elect(voting: Any, members: list[Any], encoder: LabelEncoder | None) -> None:
    """Makes an unfitted vote one of these members, which were fitted before; for classes to their codes."""
    # each is held once, so that a file holds it once
    voting.estimators = [(name, clone(member)) for (name, _), member in zip(voting.estimators, members, strict=True)]
    voting.estimators_ = members
    if encoder is not None:
        voting.le_, voting.classes_ = encoder, encoder.classes_


class _Rounds:
    """Counts the trees that boosters report."""

    def __init__(self) -> None:
        self.done = 0
        self.stopped = False

    def lightgbm(self, state: Any) -> None:
        self.done = state.iteration + 1

    def after_iteration(self, info: Any) -> bool:
        """CatBoost asks here whether to go on."""
        self.done = info.iteration
        return not self.stopped

    def raise_if_stopped(self) -> None:
        if self.stopped:
            raise InterruptedError("the fit was stopped")

    def xgboost(self) -> Any:
        from xgboost.callback import TrainingCallback

        rounds = self

        class Counting(TrainingCallback):
            def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:  # noqa: ARG002
                rounds.done = epoch + 1
                return False

        return Counting()


class _CountingBackend(ThreadingBackend):  # type: ignore[misc]
    """joblib's threads, and how many trees they have grown."""

    done = 0

    def batch_completed(self, batch_size: int, duration: float) -> None:
        self.done += batch_size
        super().batch_completed(batch_size, duration)

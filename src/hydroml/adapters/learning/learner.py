"""The port `Learner` on scikit-learn."""

import os
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from hydroml.application.ports.jobs import Monitor
from hydroml.application.ports.learning import Predictions, Reproduction, Trained, TrainingTask, Written
from hydroml.domain.errors import InvalidInputError, UnavailableError
from hydroml.domain.experiments.algorithms import ALGORITHMS
from hydroml.domain.experiments.runs import Outcome

# Every process builds the container, and scikit-learn with pandas takes seconds and 200 MB to import. So this module
# imports none of it: each method imports the module that does its work, once.


# Threads of OpenMP spin while they wait for each other, unless they are told not to before the library is loaded. Where
# other processes want the cores too, as beside a second worker, boosting then takes seven times as long.
_PATIENT = ("OMP_WAIT_POLICY", "PASSIVE")


def lacking() -> frozenset[str]:
    """The packages that some algorithms need and that are not installed."""
    return frozenset(a.package for a in ALGORITHMS.values() if a.package and find_spec(a.package) is None)


class ScikitLearner:
    """Trains within `memory_limit` bytes, by an estimate made beforehand, and on `threads` threads."""

    def __init__(self, memory_limit: int, threads: int) -> None:
        self._memory_limit = memory_limit
        self._threads = max(threads, 1)
        self._models: Any = None
        os.environ.setdefault(*_PATIENT)

    def train(self, task: TrainingTask, folder: Path, monitor: Monitor) -> Trained:
        from hydroml.adapters.learning import training

        return training.train(task, folder, monitor, memory_limit=self._memory_limit, threads=self._threads)

    def predict_rows(self, model: Path, outcome: Outcome, rows: Sequence[Mapping[str, Any]]) -> Predictions:
        from hydroml.adapters.learning import predicting

        return predicting.predict_rows(self._load(model), outcome, rows)

    def predict_table(  # noqa: PLR0917
        self, model: Path, outcome: Outcome, target: str, table: Path, out: Path, monitor: Monitor
    ) -> None:
        from hydroml.adapters.learning import predicting

        limits = {"threads": self._threads, "limit": self._memory_limit}
        predicting.predict_table(self._load(model), outcome, target, table, out, monitor, **limits)

    def bundle(self, model: Path, outcome: Outcome, target: str, title: str, out: Path) -> None:
        from hydroml.adapters.learning import bundle

        bundle.write(model, outcome, target, title, out)

    def onnx(self, model: Path, outcome: Outcome, title: str, out: Path) -> None:
        from hydroml.adapters.learning import compiled, onnx_graph

        if find_spec("onnx") is None:
            raise UnavailableError("this needs the package onnx: pip install hydroml[onnx]")
        try:
            onnx_graph.write(compiled.compiled(self._load(model)), outcome, title, out)
        except compiled.NotCompiledError as error:
            raise InvalidInputError.at("number", msg=f"this cannot be written in ONNX: {error}", code="onnx") from None

    def write(self, reproduction: Reproduction) -> Written:
        from hydroml.adapters.learning.reproducing import files

        return files.write(reproduction)

    def pack(self, reproduction: Reproduction, data: Path, rows: Path, out: Path) -> None:
        from hydroml.adapters.learning.reproducing import files

        files.pack(reproduction, data, rows, out)

    def _load(self, model: Path) -> Any:
        from hydroml.adapters.learning import modelfile

        if self._models is None:
            self._models = modelfile.ModelCache()
        return self._models.load(model)

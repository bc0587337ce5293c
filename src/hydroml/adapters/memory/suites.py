"""Suites, and a searcher that tries values by chance."""

import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import islice, product

from hydroml.adapters.memory.store import Rows, Transaction, save_revised, slice_of
from hydroml.application.ports.repositories import Listing, Slice
from hydroml.application.ports.searching import Proposal
from hydroml.domain.errors import ConflictError
from hydroml.domain.experiments.algorithms import ALGORITHMS, HyperparameterType, HyperparameterValue
from hydroml.domain.experiments.plans import Sampler, Sweep
from hydroml.domain.experiments.runs import Experiment, ExperimentId, Run, RunId, SuiteId
from hydroml.domain.experiments.suites import Suite, SuiteNotFoundError, Trial
from hydroml.domain.models import Model, ModelId
from hydroml.domain.projects import ProjectId
from hydroml.domain.sources import Version, VersionId


class InMemorySuiteRepository:
    def __init__(self, transaction: Transaction) -> None:
        self._rows: Rows[SuiteId, Suite] = transaction.rows("suite")
        self._experiments: Rows[ExperimentId, Experiment] = transaction.rows("experiment")
        self._versions: Rows[VersionId, Version] = transaction.rows("version")
        self._runs: Rows[RunId, Run] = transaction.rows("run")
        self._models: Rows[ModelId, Model] = transaction.rows("model")

    def add(self, entity: Suite) -> None:
        if not self._experiments.has(entity.experiment_id) or not self._versions.has(entity.specification.version_id):
            raise ConflictError("the experiment or its version was removed meanwhile")
        self._rows.put(entity.id, entity)

    def get(self, suite_id: SuiteId) -> Suite:
        found = self._rows.get(suite_id)
        if found is None:
            raise SuiteNotFoundError(suite_id)
        return found

    def save(self, entity: Suite) -> None:
        save_revised(self._rows, entity)

    def delete(self, suite_id: SuiteId) -> None:
        if not self._rows.has(suite_id):
            raise SuiteNotFoundError(suite_id)
        runs = set(self._runs.keys_where(lambda r: r.variation is not None and r.variation.suite_id == suite_id))
        if self._models.count(lambda m: any(v.run_id in runs for v in m.versions)):
            raise ConflictError("a model was made from one of its runs")
        for run_id in runs:
            self._runs.remove(run_id)
        self._rows.remove(suite_id)

    def of_project(self, project_id: ProjectId, listing: Listing) -> Slice[Suite]:
        inside = self._rows.where(lambda s: s.project_id == project_id)
        keys = {"created_at": lambda s: s.created_at, "name": lambda s: s.name.lower()}
        return slice_of(inside, listing, keys, lambda s: s.name)


class RandomSearcher:
    """Tries a grid in its order, and anything else by chance."""

    def __init__(self) -> None:
        self._asked: dict[SuiteId, list[Proposal]] = defaultdict(list)
        self._scores: dict[tuple[SuiteId, int], dict[int, float]] = defaultdict(dict)

    def propose(self, suite: Suite, trials: Sequence[Trial]) -> Proposal | None:
        known, asked = {trial.number for trial in trials}, self._asked[suite.id]
        for proposal in asked:
            if proposal.number not in known:
                return proposal
        plan = suite.plan
        if not isinstance(plan, Sweep):
            raise TypeError(f"suite {suite.id} is no sweep")
        if len(asked) >= plan.most(suite.specification):
            return None
        values = _values(plan, suite.specification.algorithm.name, len(asked))
        asked.append(Proposal(len(asked), values if asked else values | plan.start(suite.specification)))
        return asked[-1]

    def suggest(self, suite: Suite, trials: Sequence[Trial]) -> Mapping[str, HyperparameterValue]:
        if not isinstance(suite.plan, Sweep):
            raise TypeError(f"suite {suite.id} is no sweep")
        values = _values(suite.plan, suite.specification.algorithm.name, len(trials))
        return values if trials else values | suite.plan.start(suite.specification)

    def gives_up(self, suite: Suite, number: int, fold: int, score: float) -> bool:
        others = [s for (suite_id, n), s in self._scores.items() if suite_id == suite.id and n != number]
        self._scores[suite.id, number][fold] = distance = suite.measure.distance(score)
        then = sorted(suite.measure.distance(s[fold]) for s in others if fold in s)
        pruning = isinstance(suite.plan, Sweep) and suite.plan.prune
        return pruning and len(then) >= 4 and distance > then[len(then) // 2]

    def importance(self, suite: Suite, trials: Sequence[Trial]) -> Mapping[str, float]:
        names = list(suite.plan.space) if isinstance(suite.plan, Sweep) else []
        enough = sum(suite.score(trial) is not None for trial in trials) >= 8
        return {name: 1 / len(names) for name in names} if enough else {}

    def known(self) -> Sequence[SuiteId]:
        return list(self._asked)

    def forget(self, suite_id: SuiteId) -> None:
        self._asked.pop(suite_id, None)


def _values(plan: Sweep, algorithm: str, number: int) -> dict[str, HyperparameterValue]:
    known = {parameter.name: parameter for parameter in ALGORITHMS[algorithm].hyperparameters}
    if plan.sampler is Sampler.GRID:
        grid = product(*(space.grid(known[name]) for name, space in plan.space.items()))
        return dict(zip(plan.space, next(islice(grid, number, None)), strict=True))
    chance = random.Random(f"{plan.seed} {number}")  # noqa: S311 - no secret
    values: dict[str, HyperparameterValue] = {}
    for name, space in plan.space.items():
        if space.choices:
            values[name] = chance.choice(space.choices)
        elif known[name].type is HyperparameterType.INTEGER:
            values[name] = chance.randint(int(space.low or 0), int(space.high or 0))
        else:
            values[name] = chance.uniform(space.low or 0.0, space.high or 0.0)
    return values

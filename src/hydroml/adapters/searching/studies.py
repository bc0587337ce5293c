"""One study of Optuna for each sweep: trials have the numbers of the suite's, and values are distances from the best
score there can be, so that every study is minimised whatever its metric."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.exceptions import StorageInternalError
from optuna.importance import get_param_importances
from optuna.pruners import MedianPruner, NopPruner
from optuna.samplers import BaseSampler, GridSampler, RandomSampler, TPESampler
from optuna.storages import RDBStorage, get_storage
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState, create_trial

from hydroml.application.ports.searching import Proposal
from hydroml.domain.errors import UnavailableError
from hydroml.domain.experiments.algorithms import ALGORITHMS, Hyperparameter, HyperparameterType
from hydroml.domain.experiments.plans import Sampler, Space, Sweep
from hydroml.domain.experiments.runs import RunStatus, SuiteId
from hydroml.domain.experiments.suites import Suite, Trial

STARTUP = 10
"""Trials by chance before TPE looks at any."""
COMPARED = 4
"""Trials that have come to their end before any is given up."""
ENOUGH = 8
"""Trials before importance is more than chance."""

optuna.logging.set_verbosity(optuna.logging.WARNING)


class Studies:
    """See the port; raises what psycopg raises."""

    def __init__(self, url: str) -> None:
        self._storage = get_storage(
            RDBStorage(url, {"pool_size": 1, "max_overflow": 4, "pool_pre_ping": True, "pool_recycle": 1_800})
        )

    def propose(self, suite: Suite, trials: Sequence[Trial]) -> Proposal | None:
        spaces = _distributions(suite)
        study = self._told(suite, trials)
        known = {trial.number for trial in trials}
        for asked in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
            if asked.number not in known:
                # Its process died before it became a trial.
                if asked.params.keys() == spaces.keys():
                    return Proposal(asked.number, dict(asked.params))
                study.tell(asked.number, state=TrialState.FAIL)
        number = len(study.get_trials(deepcopy=False))
        if number >= _sweep(suite).most(suite.specification):
            return None
        study.sampler = _sampler(suite, number)
        if number == 0 and (start := _sweep(suite).start(suite.specification)):
            study.enqueue_trial(start)
        trial = study.ask(spaces)
        return Proposal(trial.number, dict(trial.params))

    def gives_up(self, suite: Suite, number: int, fold: int, score: float) -> bool:
        study = self._study(suite)
        asked = study.get_trials(deepcopy=False)[number]
        if asked.state is not TrialState.RUNNING:
            return False
        trial = optuna.trial.Trial(study, asked._trial_id)  # noqa: SLF001 - there is no other way to one that was asked
        if fold not in asked.intermediate_values:  # else its worker died after it, and the trial has begun anew
            trial.report(suite.measure.distance(score), fold)
        return trial.should_prune()

    def importance(self, suite: Suite, trials: Sequence[Trial]) -> Mapping[str, float]:
        study = self._told(suite, trials)
        if len(study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))) < ENOUGH:
            return {}
        return {name: round(share, 6) for name, share in get_param_importances(study).items() if np.isfinite(share)}

    def forget(self, suite_id: SuiteId) -> None:
        try:
            optuna.delete_study(study_name=str(suite_id), storage=self._storage)
        except KeyError:
            return

    def _study(self, suite: Suite) -> Study:
        try:
            study = optuna.create_study(
                study_name=str(suite.id), storage=self._storage, direction="minimize", load_if_exists=True
            )
        except StorageInternalError as error:
            raise UnavailableError(f"the search cannot be stored: {error}") from error
        study.sampler = RandomSampler(seed=0)
        study.pruner = MedianPruner(n_startup_trials=COMPARED) if _sweep(suite).prune else NopPruner()
        return study

    def _told(self, suite: Suite, trials: Sequence[Trial]) -> Study:
        """The study, once it knows how the trials have ended."""
        study = self._study(suite)
        waiting = {t.number: t for t in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,))}
        for trial in sorted(trials, key=lambda t: t.number):
            if trial.has_ended and trial.number in waiting:
                _tell(study, suite, trial, waiting[trial.number])
        return study


def suggest(suite: Suite, trials: Sequence[Trial]) -> Mapping[str, Any]:
    """In a study in memory, which the trials that have ended make anew."""
    spaces, number = _distributions(suite), len(trials)
    study = optuna.create_study(direction="minimize", sampler=_sampler(suite, number))
    for trial in sorted(trials, key=lambda t: t.number):
        score = suite.score(trial)
        if score is not None and np.isfinite(score):
            distance = suite.measure.distance(score)
            study.add_trial(create_trial(params=dict(trial.values), distributions=spaces, value=distance))
    if number == 0 and (start := _sweep(suite).start(suite.specification)):
        study.enqueue_trial(start)
    return dict(study.ask(spaces).params)


def _tell(study: Study, suite: Suite, trial: Trial, asked: FrozenTrial) -> None:
    score = suite.score(trial)
    if score is not None and np.isfinite(score):
        live = optuna.trial.Trial(study, asked._trial_id)  # noqa: SLF001
        for index, excess in enumerate(suite.limits.excesses(trial.seconds, trial.model_bytes)):
            live.set_constraint(str(index), excess)
        study.tell(trial.number, suite.measure.distance(score))
    else:
        pruned = trial.status is RunStatus.PRUNED
        study.tell(trial.number, state=TrialState.PRUNED if pruned else TrialState.FAIL)


def _sweep(suite: Suite) -> Sweep:
    if not isinstance(suite.plan, Sweep):
        raise TypeError(f"suite {suite.id} is no sweep")
    return suite.plan


def _sampler(suite: Suite, number: int) -> BaseSampler:
    """For one trial: its chance depends on the seed and the trial's number, not on what a process did before."""
    sweep = _sweep(suite)
    seed = int(np.random.SeedSequence([sweep.seed, number]).generate_state(1)[0])
    match sweep.sampler:
        case Sampler.TPE:
            return TPESampler(seed=seed, n_startup_trials=min(STARTUP, max(sweep.trials // 3, 1)), multivariate=True)
        case Sampler.RANDOM:
            return RandomSampler(seed=seed)
        case Sampler.GRID:
            # One seed for all: it also decides which point has which number.
            known = _known(suite)
            return GridSampler({n: s.grid(known[n]) for n, s in sweep.space.items()}, seed=sweep.seed)


def _known(suite: Suite) -> dict[str, Hyperparameter]:
    return {p.name: p for p in ALGORITHMS[suite.specification.algorithm.name].hyperparameters}


def _distributions(suite: Suite) -> dict[str, BaseDistribution]:
    sweep, known = _sweep(suite), _known(suite)
    if sweep.sampler is Sampler.GRID:
        return {name: CategoricalDistribution(space.grid(known[name])) for name, space in sweep.space.items()}
    return {name: _distribution(space, known[name]) for name, space in sweep.space.items()}


def _distribution(space: Space, parameter: Hyperparameter) -> Any:
    if space.choices:
        return CategoricalDistribution(space.choices)
    low, high = space.low or 0.0, space.high or 0.0
    if parameter.type is HyperparameterType.INTEGER:
        return IntDistribution(int(low), int(high), log=space.log)
    return FloatDistribution(low, high, log=space.log)

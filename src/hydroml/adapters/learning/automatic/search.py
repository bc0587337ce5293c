"""The search: candidates in order, each raced on one fold before the others, as long as there is time."""

import threading
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from hydroml.adapters.learning.automatic import ensemble, plan
from hydroml.adapters.learning.automatic.board import Entry, State
from hydroml.adapters.learning.automatic.learners import Learner, Setting, learner
from hydroml.adapters.learning.automatic.material import Folds, Material
from hydroml.adapters.learning.automatic.pace import COARSEST, Pace, faster
from hydroml.adapters.learning.automatic.portfolio import Candidate, portfolio
from hydroml.adapters.learning.automatic.scores import Score
from hydroml.adapters.learning.automatic.trials import trials
from hydroml.adapters.learning.fitting import Interrupted, interrupt
from hydroml.adapters.learning.frames import Array
from hydroml.domain.errors import TooLargeError
from hydroml.domain.experiments.metrics import METRICS

_CHEAP = 0.04
"""Of the budget: a candidate whose folds take less is not raced."""
_SHARES = (0.1, 0.25, 0.5)
_GAIN = 5e-4
"""What a candidate must take off the ensemble's loss on the race fold, mixed in at one of these shares, to go on."""
_RESERVE = 1.15
_LONGER = 1.5
"""Later rows go on where the folds of a series end: more rounds, and folds took so much less than all rows."""
_FLAT = 1e-3
_FEWEST_SECONDS = 0.5
_HOPELESS = 3
"""So many trials in a row that would be too slow end them."""


@dataclass(frozen=True, slots=True)
class Rules:
    """`seconds` are for everything up to the fitted estimator."""

    score: Score
    chronological: bool
    seconds: float
    seed: int
    threads: int
    catboost: bool
    ensemble: bool = True
    trials: bool = True


@dataclass(frozen=True, slots=True)
class _Done:
    """A candidate that went through all folds: what it said in the rows that test, and how it is fitted to all."""

    entry: Entry
    predictions: Array
    member: plan.Member


class Search:
    """Runs in a thread of its own, `run`, while another one looks after it by `attend`."""

    def __init__(self, material: Material, folds: Folds, rules: Rules, log: Callable[[str], None]) -> None:
        self._material, self._folds, self._rules, self._log = material, folds, rules, log
        self._begun = time.monotonic()
        self._deadline = self._begun + rules.seconds
        self._order = list(range(len(folds)))
        if rules.chronological:
            self._order.reverse()
        self._observed = material.target[folds.tested]
        self.entries: list[Entry] = []
        self._done: list[_Done] = []
        self._weights: ensemble.Weights = {}
        self._said = "starting"
        self._finishing = False
        self._refitting = 0.0
        self._thread = 0
        self._lock = threading.Lock()
        self._cut_at: float | None = None
        self._cut = self._given_up = False

    # ── from the other thread ──

    def attend(self, *, finish: bool) -> float:
        """Ends a candidate that is overdue, or any once `finish` is asked for; gives the share of the time spent."""
        self._finishing = self._finishing or finish
        with self._lock:
            overdue = self._cut_at is not None and time.monotonic() > self._cut_at
            if (overdue or (self._finishing and self._done and not self._refitting)) and self._cut_at is not None:
                self._cut, self._cut_at = True, None
                interrupt(self._thread)
        return min((time.monotonic() - self._begun) / self._rules.seconds, 1.0)

    def stop(self) -> None:
        """The whole search is given up; boosters that swallow an interruption see it here."""
        self._given_up = True

    @property
    def said(self) -> str:
        """What is being done, and how good the best is so far."""
        return self._said

    # ── in its own thread ──

    def run(self) -> tuple[list[plan.Member], list[Any]]:
        """The members of the ensemble, fitted to all training rows. Raises TooLargeError when time did not suffice for
        a single candidate."""
        self._thread = threading.get_ident()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for candidate in self._candidates():
                if self._left() < _FEWEST_SECONDS or (self._finishing and self._done):
                    break
                self._try(candidate)
            if not self._done:
                reasons = "; ".join(f"{e.candidate.title}: {e.reason}" for e in self.entries[:3])
                raise TooLargeError(f"{self._rules.seconds:g} seconds did not suffice for any candidate ({reasons})")
            return self._finish()

    def _candidates(self) -> Iterator[Candidate]:
        width = self._folds.prepared(self._order[0], "lightgbm").features.shape[1]
        yield from portfolio(
            cells=len(self._material.rows) * width,
            chronological=self._rules.chronological,
            catboost=self._rules.catboost,
        )
        if self._rules.trials:
            best = sorted(self._done, key=lambda one: one.entry.loss or 0.0)
            for candidate in trials([one.entry.candidate.family for one in best], self._rules.seed):
                if all(entry.state is State.TOO_SLOW for entry in self.entries[-_HOPELESS:]):
                    return
                yield candidate

    def _left(self) -> float:
        """Seconds for further candidates: what the members' last fit will take is kept back."""
        reserve = sum(self._done[place].member.seconds for place in self._weights)
        return self._deadline - time.monotonic() - _RESERVE * reserve

    def _try(self, candidate: Candidate) -> None:
        started = time.monotonic()
        entry = Entry(candidate, started - self._begun)
        self.entries.append(entry)
        left = max(self._left(), 0.1)
        limit = candidate.share * left / len(self._folds)
        spare = left if not self._done else min(1.5 * candidate.share * left + 1.0, left)
        ended = plan.Ended()
        try:
            with self._interruptible(started + spare) as ended:
                self._race(entry, limit)
        except Exception as error:  # noqa: BLE001  one configuration that fails must not end the others
            entry.state, entry.reason = State.FAILED, f"{type(error).__name__}: {str(error).splitlines()[0][:200]}"
        if not ended.whole and entry.state is State.FAILED and not entry.reason:
            words = "it was stopped on request" if self._finishing else "time was up before all folds were fitted"
            entry.state, entry.reason = State.CUT, words
        entry.seconds = time.monotonic() - started
        self._tell(entry)

    def _race(self, entry: Entry, limit: float) -> None:
        race, *others = self._order
        self._say(entry, race)
        tool, found = self._first_fit(entry, race, limit)
        if tool is None:
            return
        entry.race_loss = self._loss_in(race, found.predictions(found.best))
        reason = self._is_behind(entry, race, found)
        if reason:
            entry.state, entry.reason = State.DROPPED, reason
            return
        fits = {race: found}
        for fold in others:
            self._say(entry, fold)
            rounds = tool.most_rounds if found.pace.curve else found.pace.rounds
            pace = Pace(1.5 * limit, tool.patience, stopped=self._is_cut)
            fits[fold] = self._fit(tool, entry.candidate, fold, rounds, pace)
        self._keep(entry, [fits[fold] for fold in range(len(self._folds))])

    def _first_fit(self, entry: Entry, fold: int, limit: float) -> tuple[Learner | None, "_Fit"]:
        """The race; once more at a quicker rate where time would not suffice. No learner when it never would."""
        candidate = entry.candidate
        entry.rate = candidate.rate
        tool = self._learner(candidate, fold, None)
        planned = None if candidate.sharp or not candidate.patient else candidate.rate
        pace = Pace(limit, tool.patience, planned, stopped=self._is_cut)
        found = self._fit(tool, candidate, fold, tool.most_rounds, pace)
        if pace.affordable is None:
            return tool, found
        rate = faster(candidate.rate or 0.0, pace.affordable)
        if rate is None and self._done:
            entry.state, entry.reason = State.TOO_SLOW, f"{pace.affordable} rounds in the time that is left"
            return None, found
        entry.rate = rate or COARSEST
        tool = self._learner(candidate, fold, entry.rate)
        pace = Pace(limit, tool.patience, stopped=self._is_cut)
        return tool, self._fit(tool, candidate, fold, tool.most_rounds, pace)

    def _learner(self, candidate: Candidate, fold: int, rate: float | None) -> Learner:
        prepared = self._folds.prepared(fold, candidate.family)
        return learner(
            Setting(
                candidate,
                of_classes=self._material.classes > 0,
                seed=self._rules.seed % 2**31,
                threads=self._rules.threads,
                rows=len(prepared.target),
                columns=prepared.features.shape[1],
                rate=rate,
            )
        )

    def _fit(self, tool: Learner, candidate: Candidate, fold: int, rounds: int, pace: Pace) -> "_Fit":
        prepared = self._folds.prepared(fold, candidate.family)
        started = time.monotonic()
        model = tool.fit(prepared.features, prepared.target, prepared.validation, rounds, pace)
        seconds = time.monotonic() - started
        if self._is_cut():  # a booster that swallowed the interruption has stopped early
            raise Interrupted

        def predictions(wanted: int) -> Array:
            return prepared.widened(tool.predict(model, prepared.tested, wanted), self._material.classes)

        return _Fit(pace, seconds, len(prepared.target), predictions)

    def _is_behind(self, entry: Entry, fold: int, found: "_Fit") -> str:
        """Why a candidate need not go on to the other folds, or ""."""
        if not self._done or found.seconds * len(self._folds) < _CHEAP * self._rules.seconds:
            return ""
        rows = self._folds.numbers == fold
        losses = [self._loss_in(fold, one.predictions[rows]) for one in self._done]
        if entry.race_loss is not None and entry.race_loss < min(losses):
            return ""
        so_far = ensemble.mixed([one.predictions[rows] for one in self._done], self._weights)
        said, base = found.predictions(found.best), self._loss_in(fold, so_far)
        mixes = [self._loss_in(fold, (1 - share) * so_far + share * said) for share in _SHARES]
        if min(mixes) <= base * (1 - _GAIN):
            return ""
        return "on the first fold it would not have helped the ensemble"

    def _loss_in(self, fold: int, said: Array) -> float:
        return self._rules.score.loss(self._material.target[self._folds.parts[fold].test], said)

    def _keep(self, entry: Entry, fits: list["_Fit"]) -> None:
        rounds = [self._rounds([fit for other, fit in enumerate(fits) if other != fold]) for fold in range(len(fits))]
        said = [fit.predictions(min(n, fit.pace.rounds)) for fit, n in zip(fits, rounds, strict=True)]
        entry.fold_losses = [self._loss_in(fold, one) for fold, one in enumerate(said)]
        predictions = np.concatenate(said)
        entry.loss = self._rules.score.loss(self._observed, predictions)
        entry.rounds = self._last_rounds(fits, patient=entry.candidate.patient)
        longest = max(fits, key=lambda fit: fit.rows)
        growth = len(self._material.rows) / longest.rows * entry.rounds / max(longest.pace.rounds, 1)
        member = plan.Member(entry.candidate, entry.rounds, entry.rate, 0.0, longest.seconds * growth)
        entry.state = State.DONE
        self._done.append(_Done(entry, predictions, member))
        self._weights = self._weighed([one.predictions for one in self._done], self._observed)
        for place, one in enumerate(self._done):
            one.entry.weight = self._weights.get(place, 0.0)

    def _rounds(self, fits: Sequence["_Fit"]) -> int:
        """Those at which the mean curve of these fits is lowest: never a fold's own, which would flatter it."""
        if not fits[0].pace.curve:
            return min(fit.pace.rounds for fit in fits)
        return int(np.argmin(_mean_curve(fits))) + 1

    def _last_rounds(self, fits: Sequence["_Fit"], *, patient: bool) -> int:
        if not (self._rules.chronological and patient and fits[0].pace.curve):
            return self._rounds(fits) if patient else min(fit.pace.rounds for fit in fits)
        curve = _mean_curve(fits)
        flat = int(np.argmax(curve <= curve.min() * (1 + _FLAT))) + 1
        return round(_LONGER * flat)

    def _weighed(self, predictions: Sequence[Array], observed: Array) -> ensemble.Weights:
        score = self._rules.score
        if not self._rules.ensemble:
            return {int(np.argmin([score.loss(observed, one) for one in predictions])): 1.0}
        if self._rules.chronological:
            losses = [score.loss(observed, one) for one in predictions]
            return ensemble.equal(losses, [one.entry.candidate.family for one in self._done])
        return ensemble.greedy(predictions, observed, score)

    def _finish(self) -> tuple[list[plan.Member], list[Any]]:
        self._refitting = time.monotonic()
        members = [replace(self._done[place].member, weight=weight) for place, weight in self._weights.items()]
        self._log(
            f"the ensemble has {len(members)} of {len(self._done)} candidates; they are fitted to all training rows"
        )

        def go_on(member: plan.Member) -> bool:
            return time.monotonic() + member.seconds < self._deadline + 0.05 * self._rules.seconds

        hard = self._deadline + 0.08 * self._rules.seconds
        first = max(members, key=lambda one: one.weight)

        @contextmanager
        def begin(member: plan.Member) -> Iterator[plan.Ended]:
            self._said = f"{member.candidate.title}: all training rows; {self._best()}"
            with self._interruptible(None if member.candidate is first.candidate else hard) as ended:
                yield ended

        seed, threads = self._rules.seed % 2**31, self._rules.threads
        taken, pipelines = plan.fitted(members, self._material, seed=seed, threads=threads, go_on=go_on, begin=begin)
        total = sum(member.weight for member in taken)
        for one in self._done:
            kept = [member.weight for member in taken if member.candidate is one.entry.candidate]
            one.entry.weight = kept[0] / total if kept else 0.0
        return taken, pipelines

    def score(self) -> float:
        """The ensemble's metric on the folds, with weights that never saw the rows they are judged on."""
        predictions = [one.predictions for one in self._done]
        loss = ensemble.cross_fitted(predictions, self._observed, self._folds.numbers, self._rules.score, self._weighed)
        return self._rules.score.value(loss)

    def document(self) -> dict[str, Any]:
        """The leaderboard: the best first, and behind them those that did not get through."""
        listed = sorted(self.entries, key=lambda e: (e.loss is None, e.loss or 0.0, e.started))
        return {
            "metric": self._rules.score.metric,
            "score": self.score(),
            "folds": len(self._folds),
            "rows": len(self._observed),
            "weights": "equal" if self._rules.chronological else "fitted",
            "budget": self._rules.seconds,
            "seconds": round(time.monotonic() - self._begun, 2),
            "stopped": self._finishing,
            "seed": self._rules.seed,
            "items": [entry.document(self._rules.score) for entry in listed],
        }

    @contextmanager
    def _interruptible(self, until: float | None) -> Iterator[plan.Ended]:
        """A block that `attend` may end after `until`; what is behind it goes on, and learns whether it was whole."""
        ended = plan.Ended()
        try:
            try:
                with self._lock:
                    self._cut_at, self._cut = until, False
                yield ended
                ended.whole = True
            finally:
                with self._lock:
                    self._cut_at = None
                for _ in range(3):  # an interruption that is under way arrives here, not later
                    time.sleep(0)
        except Interrupted:
            if self._given_up:
                raise

    def _is_cut(self) -> bool:
        return self._cut or self._given_up

    def _say(self, entry: Entry, fold: int) -> None:
        place = self._order.index(fold) + 1
        self._said = f"{entry.candidate.title}: fold {place} of {len(self._order)}; {self._best()}"

    def _best(self) -> str:
        if not self._done:
            return "no result yet"
        loss = self._rules.score.loss(
            self._observed, ensemble.mixed([d.predictions for d in self._done], self._weights)
        )
        return f"best so far {self._rules.score.metric} {self._rules.score.value(loss):.4g}"

    def _tell(self, entry: Entry) -> None:
        words = f"{entry.candidate.title}: {entry.state.value.replace('_', ' ')} in {entry.seconds:.1f} s"
        if entry.loss is not None:
            words += f", {METRICS[self._rules.score.metric].title} {self._rules.score.value(entry.loss):.4g}"
        self._log(f"{words} ({entry.reason})" if entry.reason else words)


@dataclass(frozen=True, slots=True)
class _Fit:
    """A candidate on one fold; `predictions` are what it said in the rows that test, after so many rounds."""

    pace: Pace
    seconds: float
    rows: int
    predictions: Callable[[int], Array]

    @property
    def best(self) -> int:
        return int(np.argmin(self.pace.curve)) + 1 if self.pace.curve else self.pace.rounds


def _mean_curve(fits: Sequence[_Fit]) -> Array:
    length = min(len(fit.pace.curve) for fit in fits)
    curve: Array = np.mean([fit.pace.curve[:length] for fit in fits], axis=0)
    return curve

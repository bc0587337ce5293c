"""How a run came to be, in sentences: every setting of its specification that takes effect stands in them."""

import re
from collections.abc import Iterator, Mapping
from typing import Any
from unicodedata import normalize

from hydroml.domain.experiments.algorithms import ALGORITHMS, AUTOMATIC
from hydroml.domain.experiments.algorithms.automatic import DEFAULT_SECONDS
from hydroml.domain.experiments.metrics import METRICS
from hydroml.domain.experiments.preparation import Transform
from hydroml.domain.experiments.specification import Split, SplitKind
from hydroml.domain.reporting.document import Paragraph
from hydroml.domain.reporting.subject import Subject
from hydroml.domain.reporting.words import cut, listed, plural, setting, share

MOST_NAMES = 40
"""So many features are named; the specification names all."""
_BASELINES = {
    "mean": "the mean of the training part",
    "median": "the median of the training part",
    "persistence": "persistence, which is the last observation before each row's time, of the same group",
    "seasonal_mean": "the training mean of each calendar day, by group",
    "most_frequent": "the most frequent class of the training part",
    "prior": "the shares of the classes in the training part",
}
_MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
           "November", "December")  # fmt: skip
_BEFORE_FITTING = "All that learns from data in the preparation is fitted on the training part"

_CITED = re.compile(r"[A-Z][\w-]+(?: (?:and|&) [A-Z][\w-]+| et al\.)? \(\d{4}\)(?:, doi \S+)?")

KUENSCH = "Künsch (1989), doi 10.1214/aos/1176347265"
LEI = "Lei et al. (2018), doi 10.1080/01621459.2017.1307116"
FRIEDMAN = "Friedman (2001), Ann. Statist. 29"
STRUMBELJ = "Štrumbelj & Kononenko (2014), Knowl. Inf. Syst. 41"
YEO_JOHNSON = "Yeo and Johnson (2000)"


def methods(subject: Subject) -> tuple[Paragraph, ...]:
    return (
        Paragraph(" ".join(_data(subject)), "Data."),
        Paragraph(" ".join(_features(subject)), "Target and features."),
        Paragraph(" ".join(_preparation(subject)), "Preparation."),
        Paragraph(" ".join(_split(subject)), "Split."),
        Paragraph(" ".join(_model(subject)), "Model."),
        Paragraph(" ".join(_evaluation(subject)), "Evaluation."),
        Paragraph(" ".join(_software(subject)), "Software."),
    )


def references(subject: Subject) -> tuple[str, ...]:
    """What the definitions of the metrics and methods in the document cite, in the order of the alphabet."""
    shown = [METRICS[name].source for name in subject.outcome.metrics.get("test", {}) if name in METRICS]
    found = {cited.rstrip(",;") for source in shown for cited in _CITED.findall(source)}
    if subject.outcome.intervals and subject.wanted.time_column:
        found.add(KUENSCH)
    if subject.outcome.interval is not None:
        found.add(LEI)
    if "dependence" in subject.artifacts:
        found.add(FRIEDMAN)
    if "shapley" in subject.artifacts:
        found.add(STRUMBELJ)
    return tuple(sorted(found, key=lambda text: normalize("NFKD", text).casefold()))


def _data(subject: Subject) -> Iterator[str]:
    version, counts, wanted = subject.version, subject.outcome.counts, subject.wanted
    yield (
        f"Version {version.number} of the data source “{subject.source}” was used, a table of "
        f"{plural(version.rows, 'row')} and {plural(len(version.columns), 'column')} whose Parquet file has the "
        f"SHA-256 fingerprint {version.fingerprint}."
    )
    if counts.left_out:
        why = f"“{wanted.target}” is missing in them"
        if subject.split.is_chronological and wanted.time_column:
            why = f"“{wanted.target}” or the time “{wanted.time_column}” is missing in them"
        yield f"Of these, {plural(counts.left_out, 'row')} were left out because {why}, and {counts.used:,} were used."
    else:
        yield "No row was left out."


def _features(subject: Subject) -> Iterator[str]:
    outcome, wanted = subject.outcome, subject.wanted
    target = subject.version.column(wanted.target)
    kind = f" ({target.type})" if target else ""
    what = {"regression": "a regression", "binary": "a classification with two classes"}.get(
        outcome.problem, f"a classification with {plural(len(outcome.classes), 'class').replace('classs', 'classes')}"
    )
    unit = "in the unit it has in the table; " if subject.is_regression else ""
    how = ", which was found from its values" if wanted.problem == "auto" else ""
    yield f"The target was “{wanted.target}”{kind}, {unit}this is {what}{how}."
    if outcome.classes:
        yield f"Its classes are {listed(outcome.classes, MOST_NAMES)}."
    direct = [feature.name for feature in outcome.features if feature.direct]
    chosen = "were chosen" if wanted.features is not None else "are all columns that suit"
    if direct:
        yield f"The {plural(len(direct), 'feature')} {chosen}: {listed(direct, MOST_NAMES)}."
    if outcome.derived:
        names = listed([one.name for one in outcome.derived], MOST_NAMES)
        yield f"Beside them {plural(len(outcome.derived), 'number')} derived from the columns took part: {names}."
    if wanted.time_column:
        yield f"The time of a row is “{wanted.time_column}”."
    if wanted.group_column:
        yield f"The group of a row is “{wanted.group_column}”."


def _preparation(subject: Subject) -> Iterator[str]:
    told: dict[tuple[str, str], list[str]] = {}
    for one in subject.treatments:
        told.setdefault((one.group, one.words), []).append(one.column)
    for (group, words), columns in list(told.items())[:MOST_NAMES]:
        of = f" (group “{cut(group)}”)" if group else ""
        yield f"{listed(columns, MOST_NAMES)}{of}: {words}."
    if len(told) > MOST_NAMES:
        yield f"{len(told) - MOST_NAMES:,} more groups of columns are prepared as the specification says."
    if subject.wanted.preparation.past:
        yield (
            "Earlier values are those of earlier moments of the same group"
            if subject.wanted.group_column
            else "Earlier values are those of earlier moments"
        ) + "; no row sees itself as a past or a later row."
    preparation = subject.wanted.preparation
    numbers = [preparation.numbers, *(group.numbers for group in preparation.groups if group.numbers)]
    if any(one.transform is Transform.POWER for one in numbers):
        yield f"The symmetric transformation is that of {YEO_JOHNSON}."
    alone = " of each fold alone" if subject.in_folds else " alone"
    yield f"{_BEFORE_FITTING}{alone} and travels with the model."


def _split(subject: Subject) -> Iterator[str]:
    kind, split, wanted, counts = subject.split, subject.wanted.split, subject.wanted, subject.outcome.counts
    chosen = "" if split.kind is not None else ", which is the default here"
    yield f"{_division(kind, split, wanted.time_column, wanted.group_column)}{chosen}."
    if kind.is_chronological:
        yield (
            f"A gap of {share(split.gap)} of the rows was left out between training and test."
            if split.gap
            else "No gap was left between training and test."
        )
    if split.fold is not None:
        yield f"Of the folds only number {split.fold} tested, and all that trains for it trained the model."
    if subject.in_folds:
        yield (
            f"Together the folds tested {plural(counts.test, 'row')}; the model that is kept learnt from "
            f"{counts.train:,}."
        )
        if any(one.first for one in subject.stretches):
            yield "The table of the folds has their periods."
    else:
        for part, does in (("train", "trained"), ("test", "tested")):
            rows = counts.train if part == "train" else counts.test
            period = subject.period(part)
            when = f", from {period[0]} to {period[1]}" if period else ""
            groups = next((one.groups for one in subject.stretches if one.part == part and one.groups), None)
            of = f" of {plural(groups, 'group')}" if groups else ""
            yield f"{plural(rows, 'row')}{of} {does}{when}."
        between = counts.used - counts.train - counts.test
        if between:
            yield f"{plural(between, 'row')} neither trained nor tested."
    if split.training_rows is not None:
        yield f"Of a training part at most {plural(split.training_rows, 'row')}, drawn at random, trained a model."
    if kind.is_shuffled and wanted.time_column:
        reason = cut(split.reason, 1_000) or "none was given"
        yield f"The table has a time column and its rows were shuffled nevertheless; the recorded reason: “{reason}”."
    elif split.reason:
        yield f"The recorded reason for this split: “{cut(split.reason, 1_000)}”."
    if split.validation and not subject.in_folds:
        yield (
            f"Within the training part {split.validation} folds, drawn "
            f"{_folds_drawn(kind.folded)}, judged the model as well (validation)."
        )
    if counts.twins:
        yield f"{plural(counts.twins, 'test row')} agree with a training row in the target and every feature."
    yield f"What was drawn at random was drawn with the seed {wanted.seed}."


def _division(kind: SplitKind, split: Split, time: str | None, group: str | None) -> str:  # noqa: PLR0911
    size = share(split.test_size)
    match kind:
        case SplitKind.RANDOM:
            return f"Rows were drawn at random, {size} of them to test"
        case SplitKind.STRATIFIED:
            return f"Rows were drawn at random with the same share of each class in both parts, {size} of them to test"
        case SplitKind.CHRONOLOGICAL:
            return f"The latest {size} of the rows by “{time}” tested and the rows before them trained (chronological)"
        case SplitKind.WATER_YEARS:
            month = _MONTHS[split.year_start - 1]
            return (
                f"Whole water years by “{time}”, which begin in {month}, trained and tested; the latest, as near to "
                f"{size} of the rows as whole years come, tested"
            )
        case SplitKind.GROUP:
            return f"Whole groups by “{group}” tested, {size} of them drawn at random; no group is on both sides"
        case SplitKind.KFOLD | SplitKind.STRATIFIED_KFOLD:
            alike = " with the same share of each class in each" if kind.is_stratified else ""
            times = f", and drawn anew {split.repeats} times" if split.repeats > 1 else ""
            return f"Rows were drawn at random into {split.folds} folds{alike}, each tested once{times}"
        case SplitKind.GROUP_KFOLD:
            return f"Whole groups by “{group}” were put into {split.folds} folds, each tested once"
        case SplitKind.EXPANDING:
            return f"{split.folds} stretches of time by “{time}” tested in turn, each by all rows before it (expanding)"
        case SplitKind.SLIDING:
            return (
                f"{split.folds} stretches of time by “{time}” tested in turn, each by the rows of a window before it "
                f"that holds {share(split.window)} of the moments (sliding)"
            )


def _folds_drawn(kind: SplitKind) -> str:
    if kind.is_chronological:
        return "in the order of time"
    if kind.is_grouped:
        return "by whole groups"
    return "at random by class" if kind.is_stratified else "at random"


def _model(subject: Subject) -> Iterator[str]:
    choice = subject.wanted.algorithm
    algorithm = ALGORITHMS.get(choice.name)
    if algorithm is None:
        yield f"The algorithm was {choice.name}, with {_settings(choice.hyperparameters)}."
        return
    family = "" if algorithm is AUTOMATIC else f" (family: {algorithm.family.value.lower()})"
    yield f"The algorithm was {algorithm.title}{family}."
    values = algorithm.complete(choice.hyperparameters)
    defaults = {one.name: one.default for one in algorithm.hyperparameters}
    changed = {name: value for name, value in values.items() if value != defaults[name]}
    kept = {name: value for name, value in values.items() if name not in changed}
    if changed:
        were = "; ".join(f"{n} = {setting(v)} (default {setting(defaults[n])})" for n, v in changed.items())
        yield f"Set otherwise than by default: {were}."
    if kept:
        yield f"At {'their' if len(kept) > 1 else 'its'} default: {_settings(kept)}."
    budget = subject.wanted.budget.seconds
    if algorithm is AUTOMATIC:
        seconds = DEFAULT_SECONDS if budget is None else budget
        yield f"It searched among the other algorithms within {setting(float(seconds))} seconds."
        yield from _found(subject.artifacts.get("leaderboard"))
    elif budget is not None:
        yield f"The run was given at most {setting(float(budget))} seconds."
    yield f"The seed of the algorithm was {subject.wanted.seed}."


def _settings(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} = {setting(value)}" for name, value in values.items()) or "all settings at their defaults"


def _found(board: Mapping[str, Any] | None) -> Iterator[str]:
    if not board:
        return
    items = board["items"]
    kept = sorted((one for one in items if one["weight"]), key=lambda one: -one["weight"])
    yield f"{plural(len(items), 'configuration')} were tried and judged on folds of the training part alone."
    members = "; ".join(
        f"{one['title']} with weight {share(round(one['weight'], 4))} ({_settings(one['parameters'])})" for one in kept
    )
    if kept:
        yield f"The model that is kept is made of {members}."


def _evaluation(subject: Subject) -> Iterator[str]:
    outcome, wanted = subject.outcome, subject.wanted
    names = [METRICS[name].title if name in METRICS else name for name in wanted.metrics]
    if names:
        yield f"Looked at first: {', '.join(names)}; all metrics that suit are in the table."
    yield "The metrics are defined in the table of definitions, with the sources they cite."
    if subject.in_folds:
        yield "They are means over the folds, each judged by a model of its own; they have no interval."
    elif outcome.intervals:
        how = (
            f"in stretches as long as the errors stay correlated (moving blocks, {KUENSCH})"
            if wanted.time_column
            else "row by row"
        )
        yield (
            "Intervals of 95 % are percentiles of up to 500 resamples of the test rows, drawn with replacement "
            f"{how} with the seed {wanted.seed}."
        )
    else:
        yield "No intervals were computed: the test rows are too few or too many to be resampled."
    beside = [_BASELINES.get(name, name.replace("_", " ")) for name in outcome.baselines]
    if beside:
        yield f"Baselines on the same test rows: {'; '.join(beside)}."
    explained = []
    if "importance" in subject.artifacts:
        explained.append("permutation importance")
    if "dependence" in subject.artifacts:
        explained.append(f"partial dependence ({FRIEDMAN})")
    if "shapley" in subject.artifacts:
        explained.append(f"Shapley values ({STRUMBELJ})")
    if explained:
        yield f"What the model relies on is shown, on test rows, by {', '.join(explained)}."
    if outcome.interval is not None:
        yield f"Prediction intervals are by split conformal prediction ({LEI})."


def _software(subject: Subject) -> Iterator[str]:
    outcome = subject.outcome
    if outcome.environment:
        versions = ", ".join(
            f"{name} {version}" for name, version in sorted(outcome.environment.items(), key=_python_first)
        )
        yield f"Computed by {versions}, in {max(outcome.seconds, 0.1):,.1f} seconds."
    yield "The same specification, data and versions give the same numbers."


def _python_first(library: tuple[str, str]) -> tuple[bool, bool, str]:
    return library[0] != "python", library[0] != "hydroml", library[0]

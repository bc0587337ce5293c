"""What makes a result doubtful before anything is run, judged by what is known of the table."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from hydroml.domain.experiments.preparation import DatePart
from hydroml.domain.experiments.specification import Problem, Specification, SplitKind, TargetSummary
from hydroml.domain.quality.facts import Association
from hydroml.domain.quality.findings import listed
from hydroml.domain.sources import Column

FEW_ROWS = 100
RARE_SHARE = 0.05
ALONE = 0.98
"""So strong an association with the target is asked about."""
_MEASURES = {
    "pearson": "Pearson's correlation",
    "spearman": "rank correlation",
    "cramers_v": "Cramér's V",
    "correlation_ratio": "correlation ratio",
}


@dataclass(frozen=True, slots=True)
class Doubt:
    """Something doubtful that does not stop a run."""

    code: str
    msg: str
    columns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Giveaway:
    """A finding that some columns determine another: in both directions, but where it says of which."""

    kind: str
    columns: tuple[str, ...]
    """The determined one first."""
    words: str

    def features(self, target: str, chosen: Sequence[str]) -> tuple[str, ...]:
        """Those of the chosen features that give the target away."""
        if target not in self.columns:
            return ()
        others = tuple(name for name in self.columns if name != target)
        if target != self.columns[0]:
            # A sum and all but one of its terms give that one; what a column determines does not give the column.
            all_needed = self.kind == "combination" and not set(others) <= set(chosen)
            if all_needed or self.kind == "determined":
                return ()
        return tuple(name for name in others if name in chosen)


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What the quality report of the table says that matters to a model."""

    giveaways: Sequence[Giveaway] = ()
    associations: Sequence[Association] = ()
    unfit: Mapping[str, str] = field(default_factory=dict)
    """Columns of which nothing general can be learnt, and why."""
    duplicates: int = 0
    """Rows in which every column is as in a row before."""
    time_column: str | None = None
    site_column: str | None = None
    sites: int = 1
    uneven: bool = False
    """Whether steps of time are missing."""
    repeated_times: int = 0
    """Rows whose time occurred before, at the same site."""


def doubts(
    specification: Specification,
    columns: Sequence[Column],
    target: TargetSummary,
    *,
    problem: Problem,
    split: SplitKind,
    features: Sequence[str],
    evidence: Evidence | None,
) -> tuple[Doubt, ...]:
    """The gravest first. Without evidence, nobody has looked for it yet."""
    return (
        *_leaks(specification, features, evidence),
        *_pasts(specification, columns, split, evidence),
        *_splits(specification, columns, split, evidence),
        *_targets(specification, target, problem, features),
    )


def _leaks(specification: Specification, features: Sequence[str], evidence: Evidence | None) -> Iterator[Doubt]:
    if evidence is None:
        yield Doubt(
            "not_examined", "the table is still being examined: whether a feature gives the target away is not known"
        )
        return
    target, told = specification.target, set[str]()
    for giveaway in evidence.giveaways:
        found = giveaway.features(target, features)
        if found:
            told |= set(found)
            give = "gives" if len(found) == 1 else "give"
            yield Doubt("gives_away", f"{listed(found)} {give} “{target}” away: {giveaway.words}", found)
    strongest: dict[str, Association] = {}
    for one in evidence.associations:
        other = one.b if one.a == target else one.a
        if target in (one.a, one.b) and abs(one.value) >= ALONE and other in features and other not in told:
            strongest.setdefault(other, one)
    for name, one in strongest.items():
        yield Doubt(
            "predicts_alone",
            f"“{name}” alone nearly predicts “{target}” ({_MEASURES[one.measure]} {one.value:.3f}): "
            "would it be known when a prediction is asked for?",
            (name,),
        )
    unfit = [name for name in features if name in evidence.unfit]
    for reason in dict.fromkeys(evidence.unfit[name] for name in unfit):
        names = tuple(name for name in unfit if evidence.unfit[name] == reason)
        yield Doubt("unfit_feature", f"{listed(names)}: {reason}", names)


def _pasts(
    specification: Specification, columns: Sequence[Column], split: SplitKind, evidence: Evidence | None
) -> Iterator[Doubt]:
    """What it means that a model sees earlier rows, and moments it cannot have seen."""
    preparation, target = specification.preparation, specification.target
    reach = preparation.reach(target)
    if reach is not None:
        yield Doubt(
            "knows_the_past",
            f"the model sees “{target}” as it was {reach} before: it goes on from the last observations, as "
            "persistence does. Compare it with persistence and models that see the same, not with those that do without"
            + (", whatever the gap" if specification.split.gap else ""),
            (target,),
        )
    if preparation.past and evidence is not None and evidence.uneven and evidence.time_column:
        yield Doubt(
            "uneven_past",
            f"“{evidence.time_column}” has gaps: the row before is not always as long ago; fill them in the Studio",
            (evidence.time_column,),
        )
    if preparation.past and evidence is not None and evidence.sites > 1 and specification.group_column is None:
        yield Doubt(
            "mixed_past",
            f"without a group column the past of a row is that of all {evidence.sites:,} values of "
            f"“{evidence.site_column}” together",
            (evidence.site_column,) if evidence.site_column else (),
        )
    years = tuple(c.name for c in columns if c.type.is_temporal and DatePart.YEAR in preparation.dates_of(c.name).parts)
    if years and split.is_chronological:
        yield Doubt(
            "new_years", f"the years of {listed(years)} that test are none that train: trees cannot go beyond", years
        )


def _splits(
    specification: Specification, columns: Sequence[Column], split: SplitKind, evidence: Evidence | None
) -> Iterator[Doubt]:
    temporal = tuple(c.name for c in columns if c.type.is_temporal)
    if temporal and specification.time_column is None:
        yield Doubt(
            "time_unused",
            f"the table has dates ({', '.join(temporal[:3])}) but no time column is chosen: "
            "a random split lets the model see the future",
            temporal,
        )
    if specification.split.reason and split.is_shuffled:
        yield Doubt("random_in_time", f"a time series is shuffled: “{specification.split.reason}”")
    if evidence is None:
        return
    if evidence.duplicates and not split.is_chronological:
        yield Doubt(
            "duplicates",
            f"in {evidence.duplicates:,} rows every column is as in a row before: copies on both sides of the split "
            "make the score better than it is; remove them in the Studio",
        )
    sites = specification.group_column or evidence.site_column
    if sites and not split.is_grouped and (specification.group_column or evidence.sites > 1):
        yield Doubt(
            "groups_on_both_sides",
            f"the same values of “{sites}” train and test: the score holds for those, not for new ones; "
            "for these split by group",
            (sites,),
        )
    if evidence.repeated_times and specification.time_column == evidence.time_column and split.is_chronological:
        yield Doubt(
            "repeated_times",
            f"{evidence.repeated_times:,} rows have a time that occurred before; in which order they come is theirs "
            "in the table",
            (evidence.time_column,) if evidence.time_column else (),
        )


def _targets(
    specification: Specification, target: TargetSummary, problem: Problem, features: Sequence[str]
) -> Iterator[Doubt]:
    if target.missing:
        share = 100 * target.missing / max(target.rows, 1)
        yield Doubt(
            "missing_target",
            f"“{specification.target}” is missing in {target.missing:,} rows ({share:.1f} %); they are left out",
            (specification.target,),
        )
    if target.usable < FEW_ROWS:
        yield Doubt("few_rows", f"only {target.usable:,} rows: every figure will be uncertain")
    if features and target.usable < 10 * len(features):
        yield Doubt("many_features", f"{len(features):,} features for {target.usable:,} rows: easily learnt by heart")
    if problem.is_classification and target.usable and target.rarest / target.usable < RARE_SHARE:
        yield Doubt(
            "imbalance", f"the rarest class has {target.rarest:,} rows: look at balanced accuracy, not accuracy"
        )

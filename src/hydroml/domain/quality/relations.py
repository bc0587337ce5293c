"""Findings about columns that others determine: what would give a target away."""

from collections.abc import Iterator

from hydroml.domain.quality.facts import Facts, Relation
from hydroml.domain.quality.findings import Finding, dropping, fitting
from hydroml.domain.quality.kinds import Severity

STRONG = 0.95
MOST_OF_A_KIND = 30

_KIND = {
    "identical": "identical_columns",
    "near_identical": "near_identical_columns",
    "linear": "linear_copy",
    "combination": "combination",
    "one_to_one": "same_information",
    "determines": "determined",
}


def judged(facts: Facts) -> Iterator[Finding]:
    explained: set[frozenset[str]] = set()
    shown: dict[str, int] = {}
    for relation in facts.relations:
        explained.add(frozenset(relation.columns))
        shown[relation.kind] = shown.get(relation.kind, 0) + 1
        if shown[relation.kind] <= MOST_OF_A_KIND:
            yield _related(relation, facts)
    yield from _correlated(facts, explained)


def _related(relation: Relation, facts: Facts) -> Finding:
    first = relation.columns[0]
    except_for = f" It holds for all but {relation.exceptions:,} rows." if relation.exceptions else ""
    step = None
    match relation.kind:
        case "identical":
            severity, detail = Severity.WARNING, f"In every row {relation.expression}: one of them is enough."
            step = dropping([first], len(facts.columns))
        case "near_identical":
            severity = Severity.WARNING
            detail = f"{relation.expression} in nearly every row; those where they differ are shown."
        case "linear":
            severity = Severity.WARNING
            detail = (
                f"{relation.expression}, but for rounding.{except_for} If one of them is the target, the other gives it"
                " away: leave it out of the features."
            )
            step = dropping([first], len(facts.columns))
        case "combination":
            severity = Severity.WARNING
            detail = (
                f"{relation.expression}.{except_for} If “{first}” is the target, the others give it away: a model that"
                " may use them learns arithmetic."
            )
        case "one_to_one":
            severity, detail = Severity.INFO, f"{relation.expression}: one of the two is enough."
            step = dropping([first], len(facts.columns))
        case _:
            severity = Severity.INFO
            detail = f"{relation.expression}: as a feature for the target “{first}” it gives the answer away."
    return Finding(
        _KIND[relation.kind], severity, relation.columns, detail,
        rows=relation.exceptions or None,
        filter=fitting(relation.formula) if relation.formula and relation.exceptions else None,
        step=step, subject=relation.expression if relation.kind != "identical" else None,
    )  # fmt: skip


def _correlated(facts: Facts, explained: set[frozenset[str]]) -> Iterator[Finding]:
    """One finding for all columns that go together, whether directly or by way of others."""
    times = set(facts.time.columns) if facts.time else set()
    strong = [
        a
        for a in facts.associations
        if a.measure in ("pearson", "cramers_v")
        and abs(a.value) >= STRONG
        and not {a.a, a.b} & (times | set(facts.compact_dates))
        and not any({a.a, a.b} <= columns for columns in explained)
    ]
    clusters: list[set[str]] = []
    for association in strong:
        joined = {association.a, association.b}
        for cluster in [c for c in clusters if c & joined]:
            joined |= cluster
            clusters.remove(cluster)
        clusters.append(joined)
    order = {column.name: at for at, column in enumerate(facts.columns)}
    for cluster in clusters[:MOST_OF_A_KIND]:
        inside = [a for a in strong if a.a in cluster]
        strongest = max(inside, key=lambda a: abs(a.value))
        word = "correlation" if strongest.measure == "pearson" else "Cramér's V"
        of = f" of “{strongest.a}” and “{strongest.b}”" if len(cluster) > 2 else ""
        yield Finding(
            "correlated", Severity.INFO, tuple(sorted(cluster, key=lambda name: order[name])),
            f"The {word}{of} is {strongest.value:.3f}: together they tell a model little more than one of them.",
        )  # fmt: skip

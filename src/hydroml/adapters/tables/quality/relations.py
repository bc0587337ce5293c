"""Columns that others determine: suspected on the sample, then held against every row of the table."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from hydroml.adapters.tables import sql
from hydroml.adapters.tables.formulas import compile_formula
from hydroml.adapters.tables.quality.arithmetic import Search
from hydroml.adapters.tables.quality.counting import hits
from hydroml.adapters.tables.quality.lines import Suspect, differ, linear, linear_within
from hydroml.adapters.tables.quality.sampled import Sampled
from hydroml.adapters.tables.quality.source import SAMPLE, Source
from hydroml.domain.quality.facts import ColumnFacts, Relation
from hydroml.domain.quality.findings import named, number

_MOST_DEPENDENCIES = 200


def relations(source: Source, columns: list[ColumnFacts], sampled: Sampled) -> tuple[Relation, ...]:
    suspects = list(_identical(source, columns))
    same = {s.relation.columns for s in suspects}
    lines = [s for s in linear(sampled) if s.relation.columns not in same]
    copies = {s.relation.columns[0] for s in (*suspects, *lines)}
    suspects += [*lines, *linear_within(sampled, copies), *_combined(sampled, copies)]
    kept = _verified(source, suspects)
    exact = {frozenset(relation.columns) for relation in kept}
    return (*kept, *_dependencies(source, sampled, exact, copies))


def _identical(source: Source, columns: list[ColumnFacts]) -> Iterator[Suspect]:
    """By a hash of all values of the sample, in all columns of a type."""
    wanted = [column for column in columns if column.known and column.distinct > 1]
    terms = ", ".join(f"bit_xor(hash({sql.name(c.name)}, {sql.name(sql.ROW)}))" for c in wanted)
    if not wanted:
        return
    first: dict[Any, ColumnFacts] = {}
    for column, digest in zip(wanted, source.query(f"SELECT {terms} FROM {SAMPLE}")[0], strict=True):
        key = (digest, column.type)
        if key in first:
            names = (column.name, first[key].name)
            yield Suspect(
                Relation("identical", names, f"“{names[0]}” = “{names[1]}”", formula=differ(*names)), most=0.0
            )
        first.setdefault(key, column)


def _combined(sampled: Sampled, copies: set[str]) -> Iterator[Suspect]:
    """Sums, means and products of two columns and sums of three; a copy of a column is left to its original."""
    kept = [at for at, column in enumerate(sampled.numeric) if column.name not in copies]
    names = [sampled.numeric[at].name for at in kept]
    if len(kept) < 3:
        return
    for found in Search(sampled.values[:, kept]).found():
        target, parts = names[found.target], [names[part] for part in found.parts]
        words, formula = found.written([f"“{part}”" for part in parts]), found.written([named(p) for p in parts])
        words = words if found.divisor != 1 else words[1:-1]
        relation = Relation(
            "combination",
            (target, *parts),
            f"“{target}” = {words}".replace("*", "·"),
            formula=f"abs({named(target)} - {formula}) > {number(found.tolerance)}",
        )
        yield Suspect(relation)


def _verified(source: Source, suspects: list[Suspect]) -> list[Relation]:
    formulas = [suspect.relation.formula or "false" for suspect in suspects]
    counted = hits(source, [compile_formula(formula, source.columns).sql for formula in formulas])
    return [
        replace(suspect.relation, exceptions=found.rows)
        for suspect, found in zip(suspects, counted, strict=True)
        if found.rows <= suspect.most * source.rows
    ]


def _dependencies(
    source: Source, sampled: Sampled, explained: set[frozenset[str]], copies: set[str]
) -> Iterator[Relation]:
    """Classes that give other classes: a → b where no class of a has two of b."""
    left = _MOST_DEPENDENCIES
    one_to_one: set[str] = set()
    for i, j in _implied(sampled):
        a, b = sampled.named[i], sampled.named[j]
        pair = frozenset((a.name, b.name))
        if pair in explained or {a.name, b.name} & (copies | one_to_one):
            continue
        left -= 1
        if left < 0:
            source.bounds.append(f"At most {_MOST_DEPENDENCIES} pairs of columns were held against each other.")
            return
        if not _holds(source, a.name, b.name):
            continue
        explained.add(pair)
        if a.distinct == b.distinct and _holds(source, b.name, a.name):
            later, earlier = (b, a) if j > i else (a, b)
            one_to_one.add(later.name)
            yield Relation(
                "one_to_one",
                (later.name, earlier.name),
                f"“{later.name}” and “{earlier.name}” go together one to one",
            )
        else:
            yield Relation("determines", (b.name, a.name), f"“{a.name}” determines “{b.name}”")


def _implied(sampled: Sampled) -> Iterator[tuple[int, int]]:
    """Pairs (a, b) in the sample where every class of a is in one class of b; the coarsest a first."""
    order = sorted(range(len(sampled.named)), key=lambda at: sampled.named[at].distinct)
    for i in order:
        a = sampled.codes[:, i]
        for j in order:
            if i == j or sampled.named[j].distinct > sampled.named[i].distinct:
                continue
            b = sampled.codes[:, j]
            known = (a >= 0) & (b >= 0)
            if known.sum() < 50:
                continue
            width = int(b.max()) + 1
            classes, both = len(np.unique(a[known])), len(np.unique(a[known] * width + b[known]))
            if classes == both and classes >= 2 and len(np.unique(b[known])) >= 2:
                yield i, j


def _holds(source: Source, a: str, b: str) -> bool:
    broken = source.query(
        f"SELECT count(*) FROM (SELECT 1 FROM {source.relation} WHERE {sql.name(a)} IS NOT NULL"
        f" GROUP BY {sql.name(a)} HAVING min({sql.name(b)}) IS DISTINCT FROM max({sql.name(b)}))"
    )[0][0]
    return int(broken) == 0

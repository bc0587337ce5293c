"""Where values are missing together: one pass over the table groups its rows by a mask of bits, one for each column."""

from collections.abc import Sequence
from itertools import combinations

import numpy as np

from hydroml.adapters.tables import sql
from hydroml.adapters.tables.quality.source import Source
from hydroml.application.ports.quality import (
    MOST_COMBINED,
    MOST_PATTERNS,
    Combination,
    MissingFacts,
    Pattern,
)
from hydroml.domain.errors import Fault, InvalidInputError

MOST_COLUMNS = 500
_WORD = 60
"""Bits of a mask that go into one number."""


def missing(source: Source, chosen: Sequence[str]) -> MissingFacts:
    names = [column.name for column in source.columns]
    _check(chosen, names)
    if len(names) > MOST_COLUMNS:
        source.bounds.append(f"Patterns are of the first {MOST_COLUMNS} of {len(names):,} columns.")
    looked_at = list(dict.fromkeys((*names[:MOST_COLUMNS], *chosen)))
    counts = source.query(f"SELECT {', '.join(f'count({sql.name(n)})' for n in looked_at)} FROM {source.relation}")[0]
    gaps = {name: source.rows - count for name, count in zip(looked_at, counts, strict=True)}
    with_gaps = [name for name in looked_at if gaps[name]]
    picked = list(dict.fromkeys(chosen)) or _picked(source, with_gaps, gaps)
    return MissingFacts(
        source.rows,
        tuple(gaps.items()),
        _patterns(source, with_gaps),
        _combinations(source, picked),
        tuple(source.bounds),
    )


def _check(chosen: Sequence[str], names: Sequence[str]) -> None:
    known = set(names)
    faults = tuple(
        Fault(("columns", at), f"there is no column “{name[:100]}”", "unknown_column")
        for at, name in enumerate(chosen)
        if name not in known
    )
    if faults:
        raise InvalidInputError(faults[0].msg, faults)
    if len(set(chosen)) > MOST_COMBINED:
        raise InvalidInputError.at("columns", msg=f"choose at most {MOST_COMBINED} columns", code="length")


def _picked(source: Source, with_gaps: Sequence[str], gaps: dict[str, int]) -> list[str]:
    picked = sorted(with_gaps, key=lambda name: gaps[name])[:MOST_COMBINED]
    if len(with_gaps) > len(picked):
        source.bounds.append(
            f"Combinations are of the {MOST_COMBINED} columns with the fewest gaps; choose others to see theirs."
        )
    return [name for name in with_gaps if name in picked]


def _masks(columns: Sequence[str]) -> list[str]:
    """Numbers whose bits say which of the columns are missing."""
    words = []
    for start in range(0, len(columns), _WORD):
        part = columns[start : start + _WORD]
        words.append(" + ".join(f"(({sql.name(c)} IS NULL)::BIGINT << {at})" for at, c in enumerate(part)))
    return words


def _patterns(source: Source, columns: Sequence[str]) -> tuple[Pattern, ...]:
    if not columns:
        return (Pattern((), source.rows),) if source.rows else ()
    words = _masks(columns)
    listed = ", ".join(f"{word} AS m{at}" for at, word in enumerate(words))
    keys = ", ".join(f"m{at}" for at in range(len(words)))
    found = source.query(
        f"SELECT {keys}, count(*) AS n, count(*) OVER () FROM (SELECT {listed} FROM {source.relation})"
        f" GROUP BY {keys} ORDER BY n DESC, {keys} LIMIT {MOST_PATTERNS}"
    )
    if found and found[0][-1] > MOST_PATTERNS:
        source.bounds.append(f"Of {found[0][-1]:,} patterns the {MOST_PATTERNS} most frequent are listed.")
    return tuple(
        Pattern(
            tuple(c for at, c in enumerate(columns) if row[at // _WORD] >> (at % _WORD) & 1),
            row[-2],
        )
        for row in found
    )


def _combinations(source: Source, columns: Sequence[str]) -> tuple[Combination, ...]:
    """Complete rows of every combination: rows by mask, summed over the masks that a combination does not touch."""
    if not columns:
        return ()
    found = source.query(
        f"SELECT m, count(*) FROM (SELECT {_masks(columns)[0]} AS m FROM {source.relation}) GROUP BY 1"
    )
    complete = np.zeros(1 << len(columns), dtype=np.int64)
    for mask, count in found:
        complete[mask] = count
    for bit in range(len(columns)):  # sums over subsets, one bit after the other
        parts = complete.reshape(-1, 2, 1 << bit)
        parts[:, 1] += parts[:, 0]
    everything = len(complete) - 1
    result = []
    for size in range(1, len(columns) + 1):
        of_size = [
            Combination(tuple(columns[at] for at in places), int(complete[everything ^ sum(1 << at for at in places)]))
            for places in combinations(range(len(columns)), size)
        ]
        result += sorted(of_size, key=lambda c: -c.complete_rows)
    return tuple(result)

"""Figures of text columns, by their different values: each is looked at once, however often it occurs."""

from dataclasses import replace

from hydroml.adapters.tables import sql
from hydroml.adapters.tables.quality.source import SAMPLE, Source
from hydroml.domain.quality.facts import ColumnFacts, TextFacts
from hydroml.domain.quality.words import PLACEHOLDERS
from hydroml.domain.sources import ColumnType

_MOST_DISTINCT = 200_000
_EXAMPLES = 200
_SPELLINGS = 20

_NUMBER = r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$"
_PADDED = r"^[+-]?0[0-9]"


def with_texts(source: Source, found: list[ColumnFacts]) -> list[ColumnFacts]:
    texts = [column for column in found if column.type in (ColumnType.TEXT, ColumnType.CATEGORY) and column.known]
    done = {}
    for at, column in enumerate(texts):
        source.monitor.report(0.35 + 0.15 * at / len(texts), "quality", "Looking at texts")
        done[column.name] = _text(source, column)
    wide = [name for name, (_, whole) in done.items() if not whole]
    if wide:
        source.bounds.append(
            f"Texts of {len(wide)} columns with more than {_MOST_DISTINCT:,} different values were looked at in the"
            " sample only."
        )
    return [done[column.name][0] if column.name in done else column for column in found]


def _text(source: Source, column: ColumnFacts) -> tuple[ColumnFacts, bool]:
    """The column with its figures, and whether they are of all rows."""
    whole = column.distinct <= _MOST_DISTINCT
    cell = sql.name(column.name)
    source.connection.run(
        f"CREATE OR REPLACE TEMP TABLE texts AS SELECT v, n, trim(v) AS bare FROM (SELECT {cell}::VARCHAR AS v,"
        f" count(*) AS n FROM {source.relation if whole else SAMPLE} WHERE {cell} IS NOT NULL GROUP BY 1)"
    )
    shortest, longest, numbers, padded, spaced = source.query(
        "SELECT min(length(v)), max(length(v)),"
        f" coalesce(sum(n) FILTER (regexp_matches(bare, {sql.text(_NUMBER)})), 0),"
        f" coalesce(sum(n) FILTER (regexp_matches(bare, {sql.text(_PADDED)})), 0),"
        " coalesce(sum(n) FILTER (v <> bare), 0) FROM texts"
    )[0]
    words = source.query(
        f"SELECT v, n FROM texts WHERE lower(bare) IN ({', '.join(sql.text(word) for word in sorted(PLACEHOLDERS))})"
        " OR bare = '' ORDER BY n DESC, v LIMIT 10"
    )
    groups = source.query(
        "SELECT list(v ORDER BY n DESC, v)[:5], (sum(n) - max(n))::BIGINT, sum(sum(n) - max(n)) OVER ()::BIGINT"
        f" FROM texts GROUP BY lower(bare) HAVING count(*) > 1 ORDER BY 2 DESC, 1 LIMIT {_SPELLINGS}"
    )
    examples = source.query(f"SELECT left(v, 200) FROM texts ORDER BY hash(v) LIMIT {_EXAMPLES}")
    facts = TextFacts(
        shortest=shortest, longest=longest, numbers=int(numbers), padded=int(padded), spaced=int(spaced),
        variants=tuple(tuple(spellings) for spellings, _, _ in groups), variant_rows=int(groups[0][2]) if groups else 0,
        words=tuple((word, int(count)) for word, count in words), examples=tuple(text for (text,) in examples),
    )  # fmt: skip
    column = replace(column, texts=facts)
    if not column.values:
        top = source.query("SELECT v, n FROM texts ORDER BY n DESC, v LIMIT 10")
        column = replace(column, values=tuple((value, int(count)) for value, count in top))
    return column, whole

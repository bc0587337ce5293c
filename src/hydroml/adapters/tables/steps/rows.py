"""Rules of the steps that choose or order rows."""

from hydroml.adapters.tables import sql
from hydroml.adapters.tables.builder import Builder, condition
from hydroml.domain.studio.recipes import RecipeStep
from hydroml.domain.studio.steps import DropDuplicates, DropMissing, Filter, Limit, Sample, Sort
from hydroml.domain.studio.steps.rows import End, Keep, Of

_RANGE = 2**64
_DRAWN = "__hydroml_drawn"


def filter_rows(builder: Builder, step: Filter, _: RecipeStep) -> None:
    builder.add(step.summary(), where=condition(builder.types, builder.columns, step.condition, "condition"))


def sort(builder: Builder, step: Sort, _: RecipeStep) -> None:
    builder.sorts += 1
    keys: dict[str, str] = {}
    terms = []
    for at, key in enumerate(step.by):
        column = builder.column(key.column, "by", at, "column")
        name = f"__hydroml_key_{builder.sorts}_{at + 1}"
        keys[name] = sql.name(column.name)
        terms.append(f"{sql.name(name)} {'DESC' if key.descending else 'ASC'} NULLS LAST")
    builder.add(step.summary(), hidden=keys)
    builder.order[:0] = terms


def sample(builder: Builder, step: Sample, _: RecipeStep) -> None:
    # By the place among the rows as they are: a position in the file would differ where steps before were stored.
    place = f"row_number() OVER (ORDER BY {', '.join(builder.order)})"
    builder.add("a number drawn for each row", hidden={_DRAWN: f"hash({place}, {step.seed})"})
    drawn = sql.name(_DRAWN)
    builder.hidden.remove(_DRAWN)
    if step.share is not None:
        builder.add(step.summary(), where=f"{drawn} < '{int(step.share * _RANGE)}'::HUGEINT")
        return
    rank = f"row_number() OVER (ORDER BY {drawn}, {', '.join(builder.order)})"
    builder.add(step.summary(), qualify=f"{rank} <= {step.rows}")


def drop_duplicates(builder: Builder, step: DropDuplicates, _: RecipeStep) -> None:
    same = [builder.column(name, "columns", at).name for at, name in enumerate(step.columns)]
    cells = sql.names(same or [column.name for column in builder.columns])
    if step.keep is Keep.NONE:
        builder.add(step.summary(), qualify=f"count(*) OVER (PARTITION BY {cells}) = 1")
        return
    order = list(builder.order)
    if step.order_by is not None:
        order.insert(0, f"{sql.name(builder.column(step.order_by, 'order_by').name)} ASC NULLS FIRST")
    if step.keep is Keep.LAST:
        order = [reversed_term(term) for term in order]
    rank = f"row_number() OVER (PARTITION BY {cells} ORDER BY {', '.join(order)})"
    builder.add(step.summary(), qualify=f"{rank} = 1")


def drop_missing(builder: Builder, step: DropMissing, _: RecipeStep) -> None:
    columns = [builder.column(name, "columns", at) for at, name in enumerate(step.columns)] or builder.columns
    present = [f"{sql.name(column.name)} IS NOT NULL" for column in columns]
    builder.add(step.summary(), where=f"({(' AND ' if step.missing is Of.ANY else ' OR ').join(present)})")


def limit(builder: Builder, step: Limit, _: RecipeStep) -> None:
    order = builder.order if step.end is End.FIRST else [reversed_term(term) for term in builder.order]
    rank = f"row_number() OVER (ORDER BY {', '.join(order)})"
    builder.add(step.summary(), qualify=f"{rank} BETWEEN {step.skip + 1} AND {step.skip + step.rows}")


def reversed_term(term: str) -> str:
    """An ORDER BY term the other way round."""
    if term.endswith((" NULLS LAST", " NULLS FIRST")):
        cell, _, ends = term.rpartition(" NULLS ")
        cell, _, direction = cell.rpartition(" ")
        turned = "DESC" if direction == "ASC" else "ASC"
        return f"{cell} {turned} NULLS {'FIRST' if ends == 'LAST' else 'LAST'}"
    return f"{term} DESC"

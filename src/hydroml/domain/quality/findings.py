"""Findings: what is wrong, how bad it is, which rows show it, and the step that would mend it."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

from hydroml.domain.quality.facts import Hits
from hydroml.domain.quality.kinds import KINDS, Dimension, Severity
from hydroml.domain.studio.steps import DropColumns, Step
from hydroml.domain.studio.steps.rows import FORMULA_LENGTH

MOST_ROW_NUMBERS = 20


@dataclass(frozen=True, slots=True)
class Finding:
    kind: str
    severity: Severity
    columns: tuple[str, ...]
    detail: str
    rows: int | None = None
    share: float | None = None
    filter: str | None = None
    """A formula that shows the rows."""
    row_numbers: tuple[int, ...] = ()
    step: Step | None = None
    subject: str | None = None
    """What the title names instead of the columns."""

    @property
    def id(self) -> str:
        """The same for the same kind of fault in the same columns, in every version."""
        digest = hashlib.sha256("\0".join(self.columns).encode("utf-8", "replace")).hexdigest()
        return f"{self.kind}-{digest[:12]}"

    @property
    def dimension(self) -> Dimension:
        return KINDS[self.kind].dimension

    @property
    def title(self) -> str:
        return f"{KINDS[self.kind].title}: {self.subject or listed(self.columns)}"

    def counted(self, hits: Hits, total: int) -> "Finding":
        """With the rows that its filter shows."""
        share = hits.rows / total if total else 0.0
        return replace(self, rows=hits.rows, share=share, row_numbers=hits.first[:MOST_ROW_NUMBERS])


def listed(names: Sequence[str], most: int = 3) -> str:
    shown = ", ".join(f"“{name}”" for name in names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"


def named(column: str) -> str:
    """A column in a formula."""
    return '"' + column.replace('"', '""') + '"'


def quoted(text: str) -> str:
    """A text in a formula."""
    return "'" + text.replace("'", "''") + "'"


def number(value: float) -> str:
    """A number in a formula, exactly."""
    return str(int(value)) if float(value).is_integer() and abs(value) < 1e15 else repr(float(value))


def fitting(formula: str) -> str | None:
    """The formula, unless long names have made it longer than formulas may be."""
    return formula if len(formula) <= FORMULA_LENGTH and "\0" not in formula else None


def short(value: float) -> str:
    """A number in words: six digits are enough."""
    return f"{value:,.0f}" if float(value).is_integer() and abs(value) < 1e15 else f"{value:.6g}"


def percent(share: float) -> str:
    if 0 < share < 0.001:
        return "less than 0.1 %"
    return f"{share * 100:.1f} %".replace(".0 %", " %")


def counted(count: int, noun: str) -> str:
    if count != 1:
        return f"{count:,} {noun}"
    return f"1 {noun.removesuffix('es') if noun.endswith('ches') else noun.removesuffix('s')}"


def dropping(columns: Sequence[str], total: int) -> Step | None:
    """The step that leaves columns out; none when nothing would be left."""
    return DropColumns(tuple(columns)) if len(columns) < total else None


def most_severe_first(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    order = list(Dimension)
    return tuple(sorted(findings, key=lambda f: (f.severity.rank, order.index(f.dimension), -(f.rows or 0), f.columns)))

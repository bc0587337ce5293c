"""Every kind of step. A new one is a class here, a rule in the table engine and a case in its contract suite."""

from hydroml.domain.studio.steps.base import Fitted, RowEffect, StepInfo
from hydroml.domain.studio.steps.columns import Derive, DropColumns
from hydroml.domain.studio.steps.missing import FillMethod, FillMissing
from hydroml.domain.studio.steps.rows import Filter, Sort, SortKey

Step = Filter | Sort | Derive | DropColumns | FillMissing

STEPS: tuple[type[Step], ...] = (Filter, FillMissing, Derive, DropColumns, Sort)

__all__ = [
    "STEPS",
    "Derive",
    "DropColumns",
    "FillMethod",
    "FillMissing",
    "Filter",
    "Fitted",
    "RowEffect",
    "Sort",
    "SortKey",
    "Step",
    "StepInfo",
]

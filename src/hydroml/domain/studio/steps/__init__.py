"""Every kind of step. A new one is a class here, a rule in the table engine and a case in its suite."""

from hydroml.domain.studio.steps.base import Fitted, RowEffect, StepInfo
from hydroml.domain.studio.steps.columns import (
    Derive,
    DropColumns,
    DuplicateColumn,
    MoveColumn,
    RenameColumns,
    SelectColumns,
)
from hydroml.domain.studio.steps.combine import Append, Join, JoinKey, JoinKind, JoinNearest, NearestDirection
from hydroml.domain.studio.steps.dates import DateParts, ParseDates
from hydroml.domain.studio.steps.edits import CellEdit, EditCells
from hydroml.domain.studio.steps.missing import FillMethod, FillMissing, MarkMissing
from hydroml.domain.studio.steps.outliers import Outliers
from hydroml.domain.studio.steps.queries import QueriedTable, Query
from hydroml.domain.studio.steps.reshape import Aggregate, Pivot, Transpose, Unpivot
from hydroml.domain.studio.steps.rows import DropDuplicates, DropMissing, Filter, Limit, Sample, Sort, SortKey
from hydroml.domain.studio.steps.scaling import Encode, Scale
from hydroml.domain.studio.steps.statistics import Statistic, Summary
from hydroml.domain.studio.steps.texts import CleanText, Extract, MergeColumns, ReplaceText, SplitColumn
from hydroml.domain.studio.steps.time import (
    ConvertTimeZone,
    Period,
    Regularise,
    Resample,
    SeasonalDecompose,
    StepUnit,
    TimeStep,
)
from hydroml.domain.studio.steps.values import Bin, ChangeType, MapValues
from hydroml.domain.studio.steps.windows import (
    Difference,
    Expanding,
    LagLead,
    Rolling,
    SpanUnit,
    Window,
    WindowFunction,
)

Step = (
    Filter
    | Sort
    | Sample
    | DropDuplicates
    | Limit
    | Derive
    | SelectColumns
    | DropColumns
    | RenameColumns
    | MoveColumn
    | DuplicateColumn
    | ChangeType
    | CleanText
    | ReplaceText
    | SplitColumn
    | MergeColumns
    | Extract
    | MapValues
    | Bin
    | FillMissing
    | MarkMissing
    | DropMissing
    | Outliers
    | Scale
    | Encode
    | ParseDates
    | DateParts
    | Aggregate
    | Pivot
    | Unpivot
    | Transpose
    | Window
    | Join
    | JoinNearest
    | Append
    | Resample
    | Regularise
    | LagLead
    | Difference
    | Rolling
    | Expanding
    | SeasonalDecompose
    | ConvertTimeZone
    | Query
    | EditCells
)

STEPS: tuple[type[Step], ...] = (
    Filter,
    Sort,
    Sample,
    DropDuplicates,
    Limit,
    Derive,
    SelectColumns,
    DropColumns,
    RenameColumns,
    MoveColumn,
    DuplicateColumn,
    ChangeType,
    CleanText,
    ReplaceText,
    SplitColumn,
    MergeColumns,
    Extract,
    MapValues,
    Bin,
    FillMissing,
    MarkMissing,
    DropMissing,
    Outliers,
    Scale,
    Encode,
    ParseDates,
    DateParts,
    Aggregate,
    Pivot,
    Unpivot,
    Transpose,
    Window,
    Join,
    JoinNearest,
    Append,
    Resample,
    Regularise,
    LagLead,
    Difference,
    Rolling,
    Expanding,
    SeasonalDecompose,
    ConvertTimeZone,
    Query,
    EditCells,
)

__all__ = [
    "STEPS",
    "Aggregate",
    "Append",
    "Bin",
    "CellEdit",
    "ChangeType",
    "CleanText",
    "ConvertTimeZone",
    "DateParts",
    "Derive",
    "Difference",
    "DropColumns",
    "DropDuplicates",
    "DropMissing",
    "DuplicateColumn",
    "EditCells",
    "Encode",
    "Expanding",
    "Extract",
    "FillMethod",
    "FillMissing",
    "Filter",
    "Fitted",
    "Join",
    "JoinKey",
    "JoinKind",
    "JoinNearest",
    "LagLead",
    "Limit",
    "MapValues",
    "MarkMissing",
    "MergeColumns",
    "MoveColumn",
    "NearestDirection",
    "Outliers",
    "ParseDates",
    "Period",
    "Pivot",
    "QueriedTable",
    "Query",
    "Regularise",
    "RenameColumns",
    "ReplaceText",
    "Resample",
    "Rolling",
    "RowEffect",
    "Sample",
    "Scale",
    "SeasonalDecompose",
    "SelectColumns",
    "Sort",
    "SortKey",
    "SpanUnit",
    "SplitColumn",
    "Statistic",
    "Step",
    "StepInfo",
    "StepUnit",
    "Summary",
    "TimeStep",
    "Transpose",
    "Unpivot",
    "Window",
    "WindowFunction",
]

"""One example of every kind of step, on a table with all that is awkward in one."""

from uuid import UUID

from hydroml.domain.sources import VersionId
from hydroml.domain.studio import steps
from hydroml.domain.studio.steps import (
    CellEdit,
    FillMethod,
    JoinKey,
    JoinKind,
    Period,
    SortKey,
    Statistic,
    Step,
    StepUnit,
    Summary,
    TimeStep,
    WindowFunction,
)
from hydroml.domain.studio.steps.columns import Renaming
from hydroml.domain.studio.steps.dates import Part
from hydroml.domain.studio.steps.outliers import Bounds, Treatment
from hydroml.domain.studio.steps.rows import End, Keep, Of
from hydroml.domain.studio.steps.scaling import Encoding, Scaling
from hydroml.domain.studio.steps.texts import Case, Matching
from hydroml.domain.studio.steps.values import Binning, Mapping, Misfit, Rest

OTHER = VersionId(UUID(int=1))
"""The other table of steps that bring two together: the same once more."""
TABLE = (
    "id,site,flow,rain,day,at,code,note,big,year,month\n"
    "1,a,1.5,0.0,2020-02-28,2020-02-28T23:30:00,007,  Čaj  no. 1 ,9007199254740993,2020,2\n"
    "2,b,,0.5,2020-02-29,2020-02-29T00:15:00,1 000,crème brûlée,-9999,2020,2\n"
    "3,a,-9999.0,1.0,2020-03-01,,x,o'neill-smith,3,2020,3\n"
    "4,,2.5,,,2020-10-25T01:30:00,12,,4,2020,\n"
    "5,b,100.0,2.5,2021-10-01,2021-03-28T02:30:00,-3,日本 語,5,2021,13\n"
    "6,a,1.5,0.0,2020-02-28,2020-02-28T23:30:00,007,  Čaj  no. 1 ,9007199254740993,2020,2\n"
    "7,c,,,2021-12-31,2021-12-31T12:00:00,1,none,7,2021,12\n"
)
"""Texts of all kinds, doubles, gaps at both ends, integers beyond a double, times that a zone does not have."""

EXAMPLES: tuple[Step, ...] = (
    steps.Filter("flow > 1 OR flow IS NULL"),
    steps.Sort((SortKey("site", descending=True), SortKey("flow"))),
    steps.Sample(rows=4, seed=3),
    steps.Sample(share=0.5, seed=1),
    steps.DropDuplicates(("site", "flow")),
    steps.DropDuplicates(("site",), Keep.LAST, order_by="rain"),
    steps.DropDuplicates(("site", "flow", "rain"), Keep.NONE),
    steps.Limit(3, skip=1),
    steps.Limit(2, End.LAST),
    steps.Derive("ratio", "flow / rain"),
    steps.SelectColumns(("flow", "id")),
    steps.DropColumns(("note", "big")),
    steps.RenameColumns((Renaming("flow", "rain"), Renaming("rain", "flow"))),
    steps.MoveColumn("flow", "note"),
    steps.MoveColumn("flow"),
    steps.DuplicateColumn("flow", "flow copy"),
    steps.ChangeType(("code",), "integer"),
    steps.ChangeType(("flow", "id"), "text"),
    steps.ChangeType(("flow",), "integer", Misfit.MISSING),
    steps.ChangeType(("at",), "date"),
    steps.CleanText(("note",), accents=True, case=Case.TITLE),
    steps.ReplaceText(("note",), "no", "number"),
    steps.ReplaceText(("note",), r"(\w)'(\w)", r"\2\1", Matching.PATTERN),
    steps.SplitColumn("note", " ", 3, keep=False),
    steps.MergeColumns(("site", "id"), "key", "-", keep=False),
    steps.Extract("note", r"(\d+)", "number", 1),
    steps.MapValues("site", (Mapping("a", "alpha"), Mapping(None, "none")), Rest.MISSING),
    steps.MapValues("id", (Mapping(1, 10), Mapping(2, None))),
    steps.Bin("rain", "class", Binning.WIDTH, 3),
    steps.Bin("id", "class", Binning.COUNT, 3),
    steps.Bin("rain", "class", Binning.EDGES, edges=(0.0, 0.5, 1.5)),
    steps.FillMissing(("flow",), FillMethod.CONSTANT, 0),
    steps.FillMissing(("flow", "rain"), FillMethod.MEDIAN, flag=True),
    steps.FillMissing(("site",), FillMethod.MODE),
    steps.FillMissing(("flow",), FillMethod.PREVIOUS, groups=("site",), max_gap=1),
    steps.FillMissing(("rain",), FillMethod.NEXT, order_by="day"),
    steps.FillMissing(("rain",), FillMethod.LINEAR, order_by="id", flag=True),
    steps.MarkMissing(("flow", "big", "note"), ("-9999", "none")),
    steps.DropMissing(("flow", "rain"), Of.ALL),
    steps.Outliers(("flow",), Bounds.IQR, treatment=Treatment.CLIP),
    steps.Outliers(("flow",), Bounds.Z_SCORE, 1.0, treatment=Treatment.MISSING),
    steps.Outliers(("flow",), Bounds.QUANTILES, low=0.1, high=0.9, treatment=Treatment.FLAG),
    steps.Outliers(("flow",), Bounds.GIVEN, low=0.0, treatment=Treatment.REMOVE),
    steps.Scale(("rain", "id")),
    steps.Scale(("rain",), Scaling.MIN_MAX),
    steps.Scale(("rain",), Scaling.ROBUST),
    steps.Scale(("rain",), Scaling.LOG, offset=1.0),
    steps.Scale(("flow",), Scaling.POWER),
    steps.Encode(("site",), Encoding.ONE_HOT),
    steps.Encode(("site",), Encoding.ORDINAL),
    steps.Encode(("site",), Encoding.FREQUENCY),
    steps.Encode(("site",), Encoding.RARE, 0.2),
    steps.ParseDates(("year", "month"), "date of row"),
    steps.ParseDates(("at",), "utc", to="timestamp", time_zone="Europe/Berlin", keep=True),
    steps.ParseDates(("code",), "parsed", ("%d.%m.%Y", "%j")),
    steps.DateParts("day", tuple(Part)),
    steps.Aggregate((Summary(Statistic.MEAN, "rain"), Summary(Statistic.COUNT)), ("site",)),
    steps.Pivot(("year",), "site", "rain", Statistic.MAX),
    steps.Unpivot(("flow", "rain")),
    steps.Transpose("id"),
    steps.Window(WindowFunction.RANK, "place", groups=("site",), order=(SortKey("rain"),)),
    steps.Join(OTHER, (JoinKey("site", "site"),), JoinKind.FULL),
    steps.JoinNearest(OTHER, "day", "day", tolerance=2),
    steps.Append(OTHER, source_column="of"),
    steps.Query(
        "SELECT this.site, count(*) AS n, max(o.rain) AS most FROM this LEFT JOIN other AS o ON o.id = this.id"
        " GROUP BY this.site ORDER BY n DESC, this.site",
        (steps.QueriedTable("other", OTHER),),
    ),
    steps.Resample("day", Period.MONTH, (Summary(Statistic.SUM, "rain"),)),
    steps.Regularise("day", ("id",), TimeStep(1, StepUnit.DAYS)),
    steps.LagLead(("flow",), (1, 2), order="day"),
    steps.Difference(("rain",), groups=("site",)),
    steps.Rolling(("rain",), 3, Statistic.SUM),
    steps.Expanding(("rain",), Statistic.MAX),
    steps.SeasonalDecompose("rain", 2),
    steps.ConvertTimeZone("at", "Europe/Berlin", "UTC", into="utc", flag="summer time"),
    steps.EditCells(
        (CellEdit(3, "flow", -9999.0, None), CellEdit(2, "flow", None, 0.75), CellEdit(4, "site", None, "d")),
        "read again from the paper record",
    ),
)

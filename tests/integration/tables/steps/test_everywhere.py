"""What holds for every step that relates rows: the same table in a page, a file, a preview and the exported program."""

import runpy
import sys
from uuid import uuid4

import duckdb
import pytest

from hydroml.application.ports.tables import View
from hydroml.domain.sources import Table, VersionId
from hydroml.domain.studio.recipes import Recipe, RecipeStep
from hydroml.domain.studio.steps import (
    Aggregate,
    Append,
    ConvertTimeZone,
    Difference,
    Expanding,
    Filter,
    Join,
    JoinKey,
    JoinKind,
    JoinNearest,
    LagLead,
    NearestDirection,
    Period,
    Pivot,
    Regularise,
    Resample,
    Rolling,
    SeasonalDecompose,
    Sort,
    SortKey,
    SpanUnit,
    Statistic,
    Step,
    StepUnit,
    Summary,
    TimeStep,
    Transpose,
    Unpivot,
    Window,
    WindowFunction,
)
from tests.tables import QuietMonitor, Workshop

S = Statistic
OTHER = VersionId(uuid4())
ROWS = [
    {
        "site": "aé"[n % 2] if n % 11 else None,
        "at": f"2020-03-{1 + n * 7 % 28:02}T{n % 24:02}:30:00",
        "day": None if n == 8 else f"2020-{1 + n % 3:02}-{1 + n // 3:02}",
        "q": None if n % 5 == 0 else n * 3 % 17 / 4,
        "n": n * 5 % 13,
        "level": f"{n}.123456789012345678",
        "ok": n % 3 == 0,
        "code": f'it\'s "{n % 4}" \\n',
    }
    for n in range(40)
]
BY = (JoinKey("site", "site"), JoinKey("n", "n"))

STEPS: list[Step] = [
    Aggregate(
        tuple(Summary(s, "q") for s in S)
        + tuple(Summary(s, c) for s in (S.MIN, S.LAST, S.COUNT_DISTINCT) for c in ("level", "ok", "day", "code"))
        + tuple(Summary(s, c) for s in (S.SUM, S.MEAN, S.MEDIAN, S.STD) for c in ("level", "ok", "n")),
        ("site", "ok"),
    ),
    Pivot(("site",), "day", "level", S.MAX),
    Pivot(("code",), "ok", "q", S.QUANTILE, 0.3),
    Unpivot(("q", "n"), keep_missing=True),
    Unpivot(("at", "day")),
    Transpose("code"),
    *(Window(f, "w", "" if f.ranks else "level", ("site",), (SortKey("ok"), SortKey("day", descending=True)))
      for f in WindowFunction),
    *(Join(OTHER, BY, how) for how in JoinKind),
    *(JoinNearest(OTHER, "day", "at", (JoinKey("site", "site"),), d, 2.5) for d in NearestDirection),
    JoinNearest(OTHER, "level", "n", direction=NearestDirection.NEAREST),
    Append(OTHER, source_column="source"),
    Append(OTHER, "position"),
    *(Resample("at", p, (Summary(S.MEAN, "level"), Summary(S.COUNT), Summary(S.LAST, "code")), ("site",),
               completeness=0.1) for p in (Period.HOUR, Period.WEEK, Period.WATER_YEAR)),
    Regularise("at", ("site",), TimeStep(7, StepUnit.HOURS), "last"),
    Regularise("at", ("site",), TimeStep(7, StepUnit.DAYS), "mean"),
    LagLead(("level", "code", "day"), (1, 3), "lead", order="at", groups=("site",)),
    LagLead(("level", "code", "day"), (7, 14), "lag", SpanUnit.DAYS, "day"),
    Difference(("q", "n", "level"), 2, order="at"),
    Difference(("q", "n", "level"), percentage=True),
    Rolling(("q", "n", "level"), 3, S.SUM, minimum=2, order="at", groups=("site",)),
    Rolling(("q", "n", "level"), 3, S.MEDIAN, order="at", groups=("site",)),
    Rolling(("q", "level"), 5, S.MEAN, unit=SpanUnit.DAYS, order="day"),
    Expanding(("q", "n", "level"), S.SUM, order="at"),
    SeasonalDecompose("q", 4, order="at"),
    ConvertTimeZone("at", "Europe/Paris", "UTC", flag="fault"),
]  # fmt: skip


def label(step: Step) -> str:
    return f"{step.op}-{step.summary()[:30]}"


@pytest.mark.parametrize("step", STEPS, ids=label)
def test_the_table_is_the_same_everywhere(workshop: Workshop, step: Step, monkeypatch: pytest.MonkeyPatch) -> None:
    table = workshop.table(ROWS)
    other = workshop.table([{**row, "n": row["n"] % 4, "q": 0.5} for row in ROWS[:20:3]])
    before: Recipe = (RecipeStep(Sort((SortKey("ok"),))), RecipeStep(Filter("n <> 4")))
    recipe = (*before, RecipeStep(step, workshop.engine.fit(table, before, step), (other,) if step.others else ()))
    expected, program = workshop.folder / "expected.parquet", workshop.folder / "program.py"
    written = workshop.engine.materialise(table, recipe, expected, QuietMonitor())

    schema = workshop.engine.schema(table, recipe)
    assert [(c.name, c.type) for c in schema] == [(c.name, c.type) for c in written.columns]
    holed = {c.name for c in written.columns if c.nullable}
    assert [c.name for c in schema if c.name in holed and not c.nullable] == []

    page = workshop.engine.page(View(table, recipe), 0, 10_000)
    stored = Table(workshop.blobs.add(expected).key, written.columns, written.rows)
    assert page.total == written.rows > 0
    assert workshop.engine.page(View(stored), 0, 10_000).rows == page.rows
    filtered = workshop.engine.page(View(table, recipe, sort=(SortKey(schema[0].name),)), 0, 1)
    assert filtered.total == written.rows

    preview = workshop.engine.preview(table, before, RecipeStep(step, {}, recipe[-1].inputs))
    assert preview.page.rows == page.rows[:100]

    program.write_text(workshop.engine.python(recipe, table.columns, "table.parquet"))
    for each, name in ((table, "table.parquet"), (other, f"{other.blob[:12]}.parquet"), (stored, "stored.parquet")):
        with workshop.blobs.local(each.blob) as file:
            (workshop.folder / name).write_bytes(file.read_bytes())
    monkeypatch.chdir(workshop.folder)
    monkeypatch.setattr(sys, "argv", [str(program), "table.parquet", "result.parquet"])
    runpy.run_path(str(program))
    read = [duckdb.sql(f"SELECT * FROM '{workshop.folder / name}.parquet'") for name in ("stored", "result")]
    assert read[0].to_arrow_table().equals(read[1].to_arrow_table())

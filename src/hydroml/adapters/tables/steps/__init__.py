"""How every kind of step is computed: its rule, and what it learns from data."""

from collections.abc import Callable
from typing import Any

from hydroml.adapters.tables.builder import Builder
from hydroml.adapters.tables.learning import Learning
from hydroml.adapters.tables.steps import (
    columns,
    combine,
    dates,
    edits,
    missing,
    outliers,
    queries,
    reshape,
    rows,
    scaling,
    series,
    texts,
    time,
    values,
    windows,
)
from hydroml.domain.studio import steps
from hydroml.domain.studio.recipes import RecipeStep
from hydroml.domain.studio.steps import Fitted, Step

RULES: dict[type[Step], Callable[[Builder, Any, RecipeStep], None]] = {
    steps.Filter: rows.filter_rows,
    steps.Sort: rows.sort,
    steps.Sample: rows.sample,
    steps.DropDuplicates: rows.drop_duplicates,
    steps.Limit: rows.limit,
    steps.Derive: columns.derive,
    steps.SelectColumns: columns.select_columns,
    steps.DropColumns: columns.drop_columns,
    steps.RenameColumns: columns.rename_columns,
    steps.MoveColumn: columns.move_column,
    steps.DuplicateColumn: columns.duplicate_column,
    steps.ChangeType: values.change_type,
    steps.CleanText: texts.clean_text,
    steps.ReplaceText: texts.replace_text,
    steps.SplitColumn: texts.split_column,
    steps.MergeColumns: texts.merge_columns,
    steps.Extract: texts.extract,
    steps.MapValues: values.map_values,
    steps.Bin: values.bin_numbers,
    steps.FillMissing: missing.fill_missing,
    steps.MarkMissing: missing.mark_missing,
    steps.DropMissing: rows.drop_missing,
    steps.Outliers: outliers.treat_outliers,
    steps.Scale: scaling.scale,
    steps.Encode: scaling.encode,
    steps.ParseDates: dates.parse_dates,
    steps.DateParts: dates.date_parts,
    steps.Aggregate: reshape.aggregate,
    steps.Pivot: reshape.pivot,
    steps.Unpivot: reshape.unpivot,
    steps.Transpose: reshape.transpose,
    steps.Window: windows.window,
    steps.Join: combine.join,
    steps.JoinNearest: combine.join_nearest,
    steps.Append: combine.append,
    steps.Resample: series.resample,
    steps.Regularise: series.regularise,
    steps.LagLead: windows.lag_lead,
    steps.Difference: windows.difference,
    steps.Rolling: windows.rolling,
    steps.Expanding: windows.expanding,
    steps.SeasonalDecompose: time.seasonal_decompose,
    steps.ConvertTimeZone: time.convert_time_zone,
    steps.Query: queries.query,
    steps.EditCells: edits.edit_cells,
}
"""Each puts a step on the table that is built; raises InvalidInputError where it cannot run."""

LEARNERS: dict[type[Step], Callable[[Learning, Any], Fitted]] = {
    steps.ChangeType: values.learn_type,
    steps.Bin: values.learn_bins,
    steps.EditCells: edits.learn_edits,
    steps.FillMissing: missing.learn_filling,
    steps.Outliers: outliers.learn_bounds,
    steps.Scale: scaling.learn_scale,
    steps.Encode: scaling.learn_classes,
    steps.Pivot: reshape.learn_pivot,
    steps.Transpose: reshape.learn_transpose,
}
"""Of the kinds that learn from the rows at hand."""

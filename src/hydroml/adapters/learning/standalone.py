"""Predicts the rows of a file with the model beside it: python predict.py IN OUT

Files are CSV or Parquet, by their ending. It needs what requirements.txt names, and nothing else.
"""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import skops.io

from hydroml.adapters.learning.past import Timeline, date_part

TEXTS = ("text", "category")
DATES = ("date", "timestamp")
LARGEST = float(np.finfo(np.float32).max)


def predict(table: pd.DataFrame, folder: Path) -> pd.DataFrame:
    """The table with the predictions as further columns; for classes also the probability of the predicted one, for
    numbers the interval's bounds where one is known. Raises ValueError where a column is missing or of another type."""
    facts = json.loads((folder / "model.json").read_text("utf-8"))
    # models hold no pickle; only the types that ours consist of are loaded
    pipeline: Any = skops.io.load(folder / "model.skops", trusted=facts["trusted"])
    columns = {feature["name"]: column(table, feature) for feature in facts["features"]}
    seen = {feature["name"]: columns[feature["name"]] for feature in facts["features"] if feature["direct"]}
    frame = pd.DataFrame(seen | derived(columns, facts), index=table.index)
    target, out = facts["target"], table.copy()
    predicted = pipeline.predict(frame)
    out[f"{target}_predicted"] = predicted
    if facts["classes"]:
        out[f"{target}_probability"] = pipeline.predict_proba(frame).max(axis=1)
    elif facts["half_width"] is not None:
        out[f"{target}_lower"] = predicted - facts["half_width"]
        out[f"{target}_upper"] = predicted + facts["half_width"]
    return out


def column(table: pd.DataFrame, feature: dict[str, Any]) -> Any:
    """A column as the model takes it: texts, moments, or floats of which none is infinite."""
    name, kind = feature["name"], feature["type"]
    if name not in table.columns:
        raise ValueError(f"the table has no column “{name}”, which the model needs")
    values = table[name]
    if kind in TEXTS:
        return values.astype("string").astype("str").where(values.notna(), np.nan)
    try:
        if kind in DATES:
            return pd.to_datetime(values, utc=True).dt.tz_localize(None)
        if kind == "boolean":
            values = values.replace({"true": True, "false": False, "True": True, "False": False})
        if kind == "duration" and not pd.api.types.is_numeric_dtype(values):
            return pd.to_timedelta(values).dt.total_seconds()
        numbers = values.astype("float64")
    except (TypeError, ValueError):
        raise ValueError(f"the column “{name}” is not of the type {kind}") from None
    return numbers.where(numbers.abs() <= LARGEST)


def derived(columns: dict[str, Any], facts: dict[str, Any]) -> dict[str, Any]:
    """Parts of dates, and values of earlier rows of the table."""
    made, timeline = {}, None
    for one in facts["derived"]:
        values = columns[one["column"]].to_numpy()
        if one["part"] is not None:
            made[one["name"]] = date_part(values, one["part"], one["wave"])
            continue
        if timeline is None:
            time = columns[facts["time_column"]]
            group = columns.get(facts["group_column"])
            codes = None if group is None else pd.factorize(group, use_na_sentinel=False)[0]
            moments = time.to_numpy()
            moments = moments.astype("datetime64[us]").view("int64") if moments.dtype.kind == "M" else moments
            timeline = Timeline(moments, time.notna().to_numpy(), codes)
        made[one["name"]] = timeline.before(values, one["lag"], one["rows"], one["statistic"])
    return made


def main(source: str, out: str) -> None:
    table = pd.read_parquet(source) if source.endswith(".parquet") else pd.read_csv(source)
    found = predict(table, Path(__file__).resolve().parent)
    if out.endswith(".parquet"):
        found.to_parquet(out, index=False)
    else:
        found.to_csv(out, index=False)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    try:
        main(*sys.argv[1:])
    except (OSError, ValueError) as error:
        sys.exit(f"{error}")

"""A model as a folder that predicts without HydroML, in a zip file."""

import json
import zipfile
from importlib.metadata import version as installed
from inspect import getsource
from pathlib import Path

from hydroml.adapters.learning import environment, modelfile, past, standalone
from hydroml.domain.experiments.runs import Feature, Outcome

_LIBRARIES = ("numpy", "pandas", "pyarrow", "scikit-learn", "skops")
_BOOSTERS = ("lightgbm", "xgboost", "catboost")
_OURS = "from hydroml.adapters.learning.past import"


def write(model: Path, outcome: Outcome, target: str, title: str, out: Path) -> None:
    """`title` is what people call the model; the zip holds it with its preparation, a script and a description."""
    names = " ".join(str(outcome.parameters.get(name, "")) for name in ("algorithm", "members")).lower()
    needed = [*_LIBRARIES, *(environment.distribution(booster) for booster in _BOOSTERS if booster in names)]
    facts = {
        "title": title,
        "target": target,
        "problem": outcome.problem,
        "classes": list(outcome.classes),
        "features": [
            {
                "name": feature.name,
                "type": feature.type,
                "direct": feature.direct,
                "minimum": feature.minimum,
                "maximum": feature.maximum,
                "categories": feature.categories,
            }
            for feature in outcome.features
        ],
        "derived": [
            {
                "name": one.name,
                "column": one.derived.column,
                "part": one.derived.part,
                "wave": one.derived.wave,
                "lag": one.derived.lag,
                "rows": one.derived.rows,
                "statistic": one.derived.statistic,
            }
            for one in outcome.derived
        ],
        "time_column": outcome.time_column,
        "group_column": outcome.group_column,
        "half_width": None if outcome.interval is None else outcome.interval.half_width,
        "trusted": list(modelfile.TRUSTED),
        "metrics": outcome.metrics["test"],
    }
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(model, "model.skops")
        archive.writestr("model.json", json.dumps(facts, indent=1, ensure_ascii=False, allow_nan=False))
        archive.writestr("predict.py", getsource(standalone).replace(_OURS, "from past import"))
        archive.writestr("past.py", getsource(past))
        archive.writestr("requirements.txt", "".join(f"{name}=={installed(name)}\n" for name in needed))
        archive.writestr("README.md", _readme(outcome, target, title))


def _readme(outcome: Outcome, target: str, title: str) -> str:
    rows = "\n".join(f"| {_cell(f.name)} | {f.type} | {_said(f)} |" for f in outcome.features)
    past_words = (
        f"\nEarlier rows are looked for in the file itself, in the order of `{outcome.time_column}`.\n"
        if outcome.time_column
        else ""
    )
    interval = f"\n{outcome.interval.words}\n" if outcome.interval is not None else ""
    return f"""# {title}

Predicts `{target}`. Without HydroML, with Python 3.11 or newer:

    pip install -r requirements.txt
    python predict.py rows.csv predicted.csv

Files are CSV or Parquet. The columns it needs:

| column | type | in training |
| --- | --- | --- |
{rows}
{past_words}{interval}
`model.skops` is a scikit-learn pipeline with its preparation; it holds no pickle. `predict.py` can be imported as well:
`predict(table, folder)` takes and gives a pandas table.
"""


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _said(feature: Feature) -> str:
    if feature.minimum is not None and feature.maximum is not None:
        return f"{feature.minimum:g} to {feature.maximum:g}"
    return f"{len(feature.categories):,} categories" if feature.categories else ""

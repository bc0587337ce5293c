"""The script of a run, the same as a notebook, and the folder that holds them with the data."""

import json
import zipfile
from importlib.metadata import version as installed
from itertools import pairwise
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from hydroml.adapters.learning import environment
from hydroml.adapters.learning.reproducing.script import DATA, SPLITS, Section, sections
from hydroml.application.ports.learning import Reproduction, Written
from hydroml.domain.experiments.metrics import METRICS

_LIBRARIES = ("numpy", "pandas", "pyarrow", "scikit-learn", "scipy", "joblib", "threadpoolctl")
_BOOSTERS = ("lightgbm", "xgboost", "catboost")
_ROWS = 122_880
_TITLE = "A run of HydroML, written out"
_INTRODUCTION = (
    f"It reads {DATA} and {SPLITS} beside it, fits the same models again and says of each figure\n"
    "whether it is identical. It needs what requirements.txt names, and no HydroML."
)


def write(reproduction: Reproduction) -> Written:
    """See the port."""
    found = sections(reproduction)
    script = _script(found)
    return Written(script, _notebook(found), _requirements(reproduction, script), _readme(reproduction))


def pack(reproduction: Reproduction, data: Path, rows: Path, out: Path) -> None:
    """See the port."""
    written = write(reproduction)
    splits = out.with_name(SPLITS)
    write_splits(rows, splits)
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("experiment.py", written.script)
        archive.writestr("experiment.ipynb", written.notebook)
        archive.writestr("requirements.txt", written.requirements)
        archive.writestr("README.md", written.readme)
        if reproduction.recipe:
            archive.writestr("recipe.py", reproduction.recipe)
        # Parquet is compressed already
        archive.write(data, DATA, compress_type=zipfile.ZIP_STORED)
        archive.write(splits, SPLITS, compress_type=zipfile.ZIP_STORED)
    splits.unlink()


def write_splits(rows: Path, out: Path) -> None:
    """From the table of the rows a run was judged on: fold, part and position, the first row being 0."""
    schema = pa.schema(
        [("fold", pa.int32()), ("part", pa.dictionary(pa.int8(), pa.string())), ("position", pa.int64())]
    )
    with pq.ParquetFile(rows) as parquet, pq.ParquetWriter(out, schema, compression="zstd") as writer:
        folded = "fold" in parquet.schema_arrow.names
        for batch in parquet.iter_batches(_ROWS, columns=["row", "part", *(["fold"] if folded else [])]):
            fold = batch["fold"] if folded else pa.array([1] * len(batch))
            part = batch["part"].dictionary_encode()
            values = [fold.cast(pa.int32()), part.cast(schema.field("part").type), pc.subtract(batch["row"], 1)]
            writer.write_batch(pa.RecordBatch.from_arrays(values, schema=schema))


def _script(found: list[Section]) -> str:
    imports, *others = found
    parts = [f'"""{_TITLE}.\n\n{_INTRODUCTION}\n"""', imports.code]
    for section in others:
        words = "".join(f"# {line}\n" for line in section.words.splitlines())
        gap = "\n\n" if section.code.startswith("def ") else "\n"
        parts.append(f"# %% {section.title}\n{words}{gap}{section.code}")
    text = parts[0]
    for before, part in pairwise(parts):
        lines = before.rstrip().splitlines()
        definition = len(lines) > 1 and lines[-1].startswith("    ")
        text += ("\n\n\n" if definition else "\n\n") + part.strip("\n")
    return text + "\n"


def _notebook(found: list[Section]) -> str:
    """Format 4.5 of Jupyter, a cell of words and one of code for each section."""
    cells = [_cell("markdown", "introduction", f"# {_TITLE}\n\n{_INTRODUCTION}")]
    for number, section in enumerate(found):
        words = f"## {section.title}" + (f"\n\n{section.words}" if section.words else "")
        cells += [_cell("markdown", f"words-{number}", words), _cell("code", f"code-{number}", section.code)]
    metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    notebook = {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"


def _cell(kind: str, name: str, text: str) -> dict[str, object]:
    cell: dict[str, object] = {"cell_type": kind, "id": name, "metadata": {}, "source": text.splitlines(keepends=True)}
    return cell | ({"execution_count": None, "outputs": []} if kind == "code" else {})


def _requirements(reproduction: Reproduction, script: str) -> str:
    """In the versions that the run recorded, else in those that are here."""
    recorded = reproduction.run.result()[0].environment
    boosters = [environment.distribution(name) for name in _BOOSTERS if f"from {name} import" in script]
    lines = [f"# Python {recorded['python']}"] if "python" in recorded else []
    for name in (*_LIBRARIES, *boosters):
        remark = "" if name in recorded else "  # the run did not record which"
        lines.append(f"{name}=={recorded.get(name) or installed(name)}{remark}")
    return "\n".join(lines) + "\n"


def _readme(reproduction: Reproduction) -> str:
    run, task = reproduction.run, reproduction.task
    test = run.result()[0].metrics["test"]
    metrics = "\n".join(f"| {METRICS[name].title} | {test[name]!r} |" for name in METRICS if name in test)
    recipe = (
        "\n`recipe.py` is the recipe that made the data, as a program: it needs DuckDB and the table it began with.\n"
        if reproduction.recipe
        else ""
    )
    python = run.result()[0].environment.get("python", "")
    return f"""# {_plain(run.specification.name)}

A run of HydroML that predicts **{_plain(task.specification.target)}**, as Python that needs public libraries
alone. It is run {run.id}, on {_plain(reproduction.data)}.

    python -m venv venv && venv/bin/pip install -r requirements.txt    # Python {python}
    venv/bin/python experiment.py

The script fits the models again and says of each figure whether it is identical. Another processor, or other versions
of the libraries, may give other last digits. `experiment.ipynb` is the same as a notebook.

| metric on the test rows | the run's |
| --- | --- |
{metrics}

`{DATA}` is the whole version of the data source. `{SPLITS}` tells which rows train and test: by fold, the
part, and the position in the table, of which the first is 0.
{recipe}"""


def _plain(text: str) -> str:
    """Without what Markdown would take for more than letters."""
    return "".join(" " if c in "\r\n" else f"\\{c}" if c in "\\`*_[]<>|#&!" else c for c in text)

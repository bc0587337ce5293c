"""Runs written out, and their scripts and notebooks carried out where there is no HydroML."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from uuid import uuid4

from hydroml.adapters.learning import ScikitLearner
from hydroml.application.ports.learning import Reproduction, Trained, TrainingTask
from tests.tasks import GIGABYTE, run_of

_WITHOUT = """
import runpy, sys
sys.modules["hydroml"] = None
for script in sys.argv[1:]:
    runpy.run_path(script, run_name="__main__")
"""


def reproduction_of(task: TrainingTask, trained: Trained, data: str = "weather, version 1") -> Reproduction:
    artifacts = {name: json.loads(content) for name, content in trained.artifacts.items()}
    folds = artifacts.get("folds", {}).get("items", ())
    return Reproduction(
        run=run_of(task, trained.outcome),
        task=TrainingTask(
            task.file, task.columns, task.specification, task.features, task.problem, found=artifacts.get("leaderboard")
        ),
        data=data,
        training_rows=tuple(fold["training_rows"] for fold in folds) or (trained.outcome.counts.train,),
    )


def unpacked(reproduction: Reproduction, trained: Trained, folder: Path) -> Path:
    """The folder of a run."""
    out = folder / f"{uuid4().hex}.zip"
    ScikitLearner(GIGABYTE, 2).pack(reproduction, reproduction.task.file, trained.rows, out)
    place = out.with_suffix("")
    with zipfile.ZipFile(out) as archive:
        archive.extractall(place)
    return place


def said_by(*scripts: Path) -> str:
    """What scripts print, one after the other in a process that is isolated and knows no HydroML."""
    done = subprocess.run(
        [sys.executable, "-I", "-W", "ignore", "-c", _WITHOUT, *map(str, scripts)],
        cwd=scripts[0].parent,
        env={"PATH": os.environ["PATH"], "HOME": str(scripts[0].parent)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout

"""The container imports every adapter in every process; the heavy libraries come with their first use."""

import subprocess
import sys

SCRIPT = """
import sys
from hydroml.adapters.learning import ScikitLearner
from hydroml.adapters.tracking import MlflowTracker
ScikitLearner(memory_limit=1, threads=1), MlflowTracker("sqlite://", None)
heavy = {"sklearn", "pandas", "numpy", "scipy", "pyarrow", "mlflow", "skops", "lightgbm", "xgboost", "catboost"}
print(sorted(heavy & set(sys.modules)))
"""


def test_building_the_learner_and_the_tracker_imports_nothing_heavy() -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "[]"

"""MLflow: the record of runs and models where its users look for it."""

from hydroml.adapters.tracking.tracker import MlflowTracker

__all__ = ["MlflowTracker"]

"""scikit-learn: splits, preparation, algorithms, metrics, baselines, importance and prediction."""

from hydroml.adapters.learning.learner import ScikitLearner, lacking

__all__ = ["ScikitLearner", "lacking"]

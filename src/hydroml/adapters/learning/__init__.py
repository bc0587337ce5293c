"""scikit-learn: splits, preparation, algorithms, metrics, baselines, importance and prediction."""

from hydroml.adapters.learning.learner import ScikitLearner

__all__ = ["ScikitLearner"]

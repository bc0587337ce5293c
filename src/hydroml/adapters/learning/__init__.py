"""scikit-learn: splits, preparation, algorithms, metrics, baselines, importance and prediction."""

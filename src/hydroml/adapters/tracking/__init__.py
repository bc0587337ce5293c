"""MLflow: the record of runs and models where its users look for it."""

"""A search among the other algorithms."""

from hydroml.domain.experiments.algorithms.description import ALL, Algorithm, Family, choice, whole

AUTOMATIC = Algorithm(
    name="automatic",
    title="Automatic",
    help="Tries a portfolio of algorithms within the run's budget of time, and lets the best of them answer together.",
    family=Family.AUTOMATIC,
    problems=ALL,
    hyperparameters=(
        whole("folds", 5, 2, 10, None, "Folds of the training part by which what is tried is judged."),
        choice("ensemble", ("on", "off"), "Let the best answer together; off keeps the single best one."),
        choice("trials", ("on", "off"), "Try other settings at random in the time that the portfolio leaves."),
    ),
    handles_missing=True,
)
DEFAULT_SECONDS = 120.0
"""Its time where the run has no budget."""

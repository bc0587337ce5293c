"""Neural networks."""

from hydroml.domain.experiments.algorithms.description import ALL, Algorithm, Family, Search, choice, number, whole

MULTILAYER_PERCEPTRON = Algorithm(
    name="multilayer_perceptron",
    title="Multilayer perceptron",
    help="A small neural network: smooth answers that go beyond straight lines. Wants scaled features and many rows.",
    family=Family.NEURAL,
    problems=ALL,
    hyperparameters=(
        choice("hidden_layers", ("128-64", "64", "128", "256-128", "128-64-32"), "Units of each hidden layer."),
        choice("activation", ("relu", "tanh", "logistic"), "What a unit does with its sum."),
        number("alpha", 1e-3, 0.0, 100.0, Search(1e-6, 1.0, log=True), "Penalty on large weights."),
        number("learning_rate_init", 2e-3, 1e-5, 1.0, Search(1e-4, 0.02, log=True), "Length of the first steps."),
        whole("batch_size", 64, 1, 10_000, Search(16, 512, log=True), "Rows that decide on each step."),
        whole("max_iter", 100, 1, 10_000, Search(20, 300, log=True),
              "How often it goes through the rows, at most; it stops earlier when it has learnt them."),
    ),
    needs_scaling=True,
)  # fmt: skip

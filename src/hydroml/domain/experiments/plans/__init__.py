"""What a suite varies: each kind of plan says which specifications it tries, and what is wrong with it."""

from hydroml.domain.experiments.plans.ablation import Ablation
from hydroml.domain.experiments.plans.base import MOST_TRIALS, Basis, Scored, Variant
from hydroml.domain.experiments.plans.comparison import Comparison
from hydroml.domain.experiments.plans.nested import Nested, place_of
from hydroml.domain.experiments.plans.selection import Method, Selection
from hydroml.domain.experiments.plans.study import CrossValidation
from hydroml.domain.experiments.plans.sweep import Limits, Sampler, Space, Sweep

Plan = Sweep | Comparison | Ablation | Selection | CrossValidation | Nested
PLANS: tuple[type[Plan], ...] = (Sweep, Comparison, Ablation, Selection, CrossValidation, Nested)

__all__ = [
    "MOST_TRIALS",
    "PLANS",
    "Ablation",
    "Basis",
    "Comparison",
    "CrossValidation",
    "Limits",
    "Method",
    "Nested",
    "Plan",
    "Sampler",
    "Scored",
    "Selection",
    "Space",
    "Sweep",
    "Variant",
    "place_of",
]

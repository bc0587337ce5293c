"""Every kind of finding: what it is about, and what it is called."""

from dataclasses import dataclass
from enum import StrEnum


class Dimension(StrEnum):
    COMPLETENESS = "completeness"
    UNIQUENESS = "uniqueness"
    VALIDITY = "validity"
    CONSISTENCY = "consistency"
    TIME = "time"
    LEAKAGE = "leakage"
    PRIVACY = "privacy"
    MODELLING = "modelling"


class Severity(StrEnum):
    ERROR = "error"
    WARNING = "warning"
    INFO = "info"

    @property
    def rank(self) -> int:
        """0 for the worst."""
        return list(Severity).index(self)


@dataclass(frozen=True, slots=True)
class Kind:
    dimension: Dimension
    title: str


KINDS: dict[str, Kind] = {
    "empty_column": Kind(Dimension.COMPLETENESS, "Empty column"),
    "mostly_missing": Kind(Dimension.COMPLETENESS, "Mostly missing"),
    "missing": Kind(Dimension.COMPLETENESS, "Missing values"),
    "missing_stretches": Kind(Dimension.COMPLETENESS, "Stretches without values"),
    "duplicate_rows": Kind(Dimension.UNIQUENESS, "Duplicate rows"),
    "constant": Kind(Dimension.UNIQUENESS, "Constant column"),
    "near_constant": Kind(Dimension.UNIQUENESS, "Nearly constant column"),
    "identical_columns": Kind(Dimension.UNIQUENESS, "Identical columns"),
    "near_identical_columns": Kind(Dimension.UNIQUENESS, "Nearly identical columns"),
    "candidate_key": Kind(Dimension.UNIQUENESS, "Possible key"),
    "broken_key": Kind(Dimension.UNIQUENESS, "Broken key"),
    "infinite": Kind(Dimension.VALIDITY, "Infinite values"),
    "sentinel_numbers": Kind(Dimension.VALIDITY, "Numbers that seem to stand for missing values"),
    "zero_spike": Kind(Dimension.VALIDITY, "Zeros far from all other values"),
    "negative_values": Kind(Dimension.VALIDITY, "Negative values where none can be"),
    "outliers": Kind(Dimension.VALIDITY, "Values far out"),
    "impossible_dates": Kind(Dimension.VALIDITY, "Dates that cannot be"),
    "suspicious_dates": Kind(Dimension.VALIDITY, "Dates that seem to stand for missing values"),
    "placeholder_text": Kind(Dimension.VALIDITY, "Words that stand for missing values"),
    "mixed_types": Kind(Dimension.CONSISTENCY, "Numbers mixed with words"),
    "numbers_as_text": Kind(Dimension.CONSISTENCY, "Numbers kept as text"),
    "compact_dates": Kind(Dimension.CONSISTENCY, "Dates written as whole numbers"),
    "stray_spaces": Kind(Dimension.CONSISTENCY, "Stray spaces"),
    "spelling_variants": Kind(Dimension.CONSISTENCY, "The same category spelt differently"),
    "leading_zeros": Kind(Dimension.CONSISTENCY, "Leading zeros may be lost"),
    "time_gaps": Kind(Dimension.TIME, "Gaps in time"),
    "time_duplicates": Kind(Dimension.TIME, "Times that occur more than once"),
    "out_of_order": Kind(Dimension.TIME, "Rows out of order in time"),
    "irregular_step": Kind(Dimension.TIME, "Irregular time step"),
    "flat_line": Kind(Dimension.TIME, "Flat line"),
    "daylight_saving": Kind(Dimension.TIME, "Daylight saving time"),
    "linear_copy": Kind(Dimension.LEAKAGE, "The same values in other units"),
    "combination": Kind(Dimension.LEAKAGE, "Computed from other columns"),
    "same_information": Kind(Dimension.LEAKAGE, "Two codes for the same thing"),
    "determined": Kind(Dimension.LEAKAGE, "Determined by another column"),
    "personal_data": Kind(Dimension.PRIVACY, "Possible personal data"),
    "high_cardinality": Kind(Dimension.MODELLING, "Many different texts"),
    "imbalance": Kind(Dimension.MODELLING, "One class dominates"),
    "rare_class": Kind(Dimension.MODELLING, "Rare classes"),
    "group_column": Kind(Dimension.MODELLING, "Several sites or groups"),
    "correlated": Kind(Dimension.MODELLING, "Strongly correlated columns"),
}

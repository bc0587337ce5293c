"""Optuna: what a sweep tries next."""

from hydroml.adapters.searching.searcher import OptunaSearcher

__all__ = ["OptunaSearcher"]

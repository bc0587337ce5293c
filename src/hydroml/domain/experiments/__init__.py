"""Experiments: what is to be learnt from which table, how it is judged, and what came out."""

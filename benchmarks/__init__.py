"""Benchmarks: each compares with a peer or the bare engine in the same run, on generated data of the size it names."""

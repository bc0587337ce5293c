"""How fast HydroML is, beside the bare tools it stands on. Every benchmark is `python -m benchmarks.<name>`."""

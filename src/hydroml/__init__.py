"""HydroML: from a raw table to a model that can be trusted."""

"""Runs written out as Python that needs public libraries alone."""

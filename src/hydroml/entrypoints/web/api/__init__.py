"""The HTTP API: one module for each context, under the same names as in the services."""

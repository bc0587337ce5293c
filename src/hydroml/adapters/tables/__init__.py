"""The table engine on DuckDB: files in and out, recipes to SQL, pages, profiles."""

from hydroml.adapters.tables.engine import DuckDbTableEngine

__all__ = ["DuckDbTableEngine"]

"""What a quality report is judged by, measured with DuckDB over the whole table and with NumPy over a sample."""

from hydroml.adapters.tables.quality.inspector import DuckDbTableInspector

__all__ = ["DuckDbTableInspector"]

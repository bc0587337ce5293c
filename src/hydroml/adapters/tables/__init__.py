"""The table engine on DuckDB: files in and out, recipes to SQL, pages, profiles."""

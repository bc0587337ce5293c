"""PostgreSQL: what only a real server can show."""

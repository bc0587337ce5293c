"""PostgreSQL: SQLAlchemy Core tables and repositories, one module for each context."""

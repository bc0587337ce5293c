"""Plain Python: what projects, tables, sessions, experiments and jobs are, and their rules."""

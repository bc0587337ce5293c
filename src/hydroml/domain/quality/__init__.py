"""What is wrong with a table: facts that an engine measures, and what they mean."""

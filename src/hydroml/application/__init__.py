"""One service for each context, and the ports they need."""

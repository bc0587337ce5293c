"""What the services need from outside. Adapters implement these; `adapters/memory` is the twin of each."""

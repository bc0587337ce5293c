"""The doors: web, worker and command line, and the container that wires them."""

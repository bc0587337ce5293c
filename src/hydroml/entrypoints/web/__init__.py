"""The web entrypoint: Django as a thin shell around the services."""

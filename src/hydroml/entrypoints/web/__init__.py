"""The web entrypoint: pages, accounts and the HTTP API."""

"""The secrets of personal tokens."""

import hashlib
import secrets

PREFIX = "hml_"
"""Lets people, and scanners for leaked secrets, tell what a string is."""


def new_secret() -> str:
    """256 random bits, in letters that need no escaping."""
    return PREFIX + secrets.token_urlsafe(32)


def digest(secret: str) -> str:
    """SHA-256 in hexadecimal: enough for a secret that nobody can guess, and quick enough for every request."""
    return hashlib.sha256(secret.encode()).hexdigest()

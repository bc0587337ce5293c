"""Secrets of personal tokens: long and random, so that a plain digest of one is enough to keep."""

import secrets
from hashlib import sha256

PREFIX = "hml_"
"""Lets people and secret scanners see what it is."""


def new_secret() -> str:
    return PREFIX + secrets.token_urlsafe(32)


def digest(secret: str) -> str:
    """What is kept of a secret: its SHA-256, in hexadecimal."""
    return sha256(secret.encode("utf-8", "replace")).hexdigest()

"""Secrets of personal tokens."""

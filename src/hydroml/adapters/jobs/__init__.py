"""Celery as the queue, and Redis as the bell."""

"""The second door: jobs are run by Celery workers, and kept moving by the scheduler."""

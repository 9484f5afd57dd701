"""ceadmin: the project. Its Celery app is loaded with it, so that tasks find it."""

from ceadmin.celery import app as celery_app

__all__ = ["celery_app"]

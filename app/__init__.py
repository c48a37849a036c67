"""The only code that knows Django, Celery and Channels."""

from app.celery import celery

__all__ = ["celery"]

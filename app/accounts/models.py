"""The person who practises."""

from __future__ import annotations

from django.contrib.auth.models import AbstractUser


class User(AbstractUser):
    """A candidate; staff members are admins. A model of our own, so that it can grow."""

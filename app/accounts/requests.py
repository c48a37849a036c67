"""The request as a view behind LoginRequiredMiddleware sees it."""

from __future__ import annotations

from django.http import HttpRequest

from app.accounts.models import User


class SignedInRequest(HttpRequest):
    """A request whose user is a person: the middleware has sent everybody else to sign in."""

    user: User

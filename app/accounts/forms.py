"""Forms of accounts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib.auth.forms import BaseUserCreationForm

from app.accounts.models import User

if TYPE_CHECKING:
    CreationForm = BaseUserCreationForm[User]  # the class is generic to the type checker only
else:
    CreationForm = BaseUserCreationForm


class RegistrationForm(CreationForm):
    """A name and a password, twice."""

    class Meta:
        model = User
        fields = ("username",)

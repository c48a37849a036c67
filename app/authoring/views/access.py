"""Who may see these pages, and what they are about."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.utils.translation import gettext as _

from app.accounts.requests import SignedInRequest
from app.authoring.models import WorkingCopy

View = Callable[..., HttpResponse]


def for_staff(view: View) -> View:
    """The view, for admins alone."""

    @wraps(view)
    def guarded(request: SignedInRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not request.user.is_staff:
            raise PermissionDenied(
                _("Only an admin may write problems. Ask one to make you an admin.")
            )
        return view(request, *args, **kwargs)

    return guarded


def get_copy(slug: str) -> WorkingCopy:
    """The working copy, or a 404 that says how to get one."""
    copy = WorkingCopy.objects.filter(slug=slug).select_related("changed_by").first()
    if copy is None:
        raise Http404(
            _("Nobody edits a problem named “%(slug)s”. Open it from the list of problems.")
            % {"slug": slug}
        )
    return copy

"""Sign in, sign out, register, the owner's link, settings."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login as sign_in
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.forms import PasswordChangeForm, SetPasswordForm
from django.contrib.auth.views import LoginView, LogoutView
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST
from django.views.i18n import set_language

from app.accounts.forms import RegistrationForm
from app.accounts.models import User
from app.accounts.owner import redeem
from app.accounts.requests import SignedInRequest

THEMES = ("system", "light", "dark")
THEME_COOKIE_AGE_S = 365 * 24 * 3600
BACKEND = "django.contrib.auth.backends.ModelBackend"


class SignIn(LoginView):
    """The sign-in page."""

    template_name = "accounts/login.html"
    redirect_authenticated_user = True

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(open_registration=settings.OPEN_REGISTRATION, **kwargs)


login = SignIn.as_view()
logout = LogoutView.as_view()
language = login_not_required(set_language)  # a stranger may read the sign-in page too


@login_not_required
def register(request: HttpRequest) -> HttpResponse:
    """Make an account and sign in, where the site is open to everybody."""
    if not settings.OPEN_REGISTRATION:
        raise Http404(_("This site does not let people register. Ask its owner for an account."))
    form = RegistrationForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        sign_in(request, form.save(), backend=BACKEND)
        return redirect("practice:home")
    return render(request, "accounts/register.html", {"form": form})


@login_not_required
@require_GET
def enter(request: HttpRequest, token: str) -> HttpResponse:
    """The owner's one-time link."""
    user = redeem(token)
    if user is not None:
        sign_in(request, user, backend=BACKEND)
        return redirect("practice:home")
    if request.user.is_authenticated:
        return redirect("practice:home")  # a second click on the same link does no harm
    return render(request, "accounts/link_expired.html", status=410)


def settings_page(request: SignedInRequest) -> HttpResponse:
    """Language, theme, password."""
    form = _password_form(request.user, None)
    if request.method == "POST":
        form = _password_form(request.user, request.POST)
        if form.is_valid():
            form.save()
            update_session_auth_hash(request, request.user)
            messages.success(request, _("Your password is set."))
            return redirect("accounts:settings")
    context = {"form": form, "languages": settings.LANGUAGES, "themes": THEMES}
    return render(request, "accounts/settings.html", context)


def _password_form(user: User, data: object) -> SetPasswordForm[User]:
    # The owner came by a link and has no password to know.
    if user.has_usable_password():
        return PasswordChangeForm(user, data)
    return SetPasswordForm(user, data)


@login_not_required
@require_POST
def theme(request: HttpRequest) -> HttpResponse:
    """Keep the theme in a cookie, which the server reads: no flash of the other one."""
    chosen = request.POST.get("theme", "")
    response = HttpResponseRedirect(_back(request))
    if chosen in THEMES:
        response.set_cookie(
            "theme",
            chosen,
            max_age=THEME_COOKIE_AGE_S,
            samesite="Lax",
            secure=settings.HTTPS,
        )
    return response


def _back(request: HttpRequest) -> str:
    """The page that the form was on, if it is one of ours."""
    came_from = request.headers.get("Referer", "")
    allowed = url_has_allowed_host_and_scheme(came_from, {request.get_host()})
    if not came_from or not allowed:
        return "/"
    address = urlsplit(came_from)
    return address.path + (f"?{address.query}" if address.query else "")

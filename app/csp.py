"""The Content-Security-Policy of every page: nothing runs that we did not ship as a file."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.functional import SimpleLazyObject

NONCE_BYTES = 16


def content_security_policy(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware: gives the request a ``csp_nonce`` and the response its policy.

    The nonce lets the editor add the style sheet it makes at run time; scripts have none, so an
    injected ``<script>`` stays dead text. A view may set a policy of its own.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        nonce = SimpleLazyObject(lambda: secrets.token_urlsafe(NONCE_BYTES))
        request.csp_nonce = nonce  # type: ignore[attr-defined]
        response = get_response(request)
        response.headers.setdefault("Content-Security-Policy", policy(nonce))
        return response

    return middleware


def policy(nonce: Any) -> str:
    """The header's value."""
    return "; ".join(
        (
            "default-src 'self'",
            "script-src 'self'",
            f"style-src 'self' 'nonce-{nonce}'",
            "img-src 'self' data:",
            "font-src 'self'",
            "connect-src 'self'",
            "object-src 'none'",
            "base-uri 'none'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        )
    )

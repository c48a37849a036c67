"""The site as ASGI: HTTP by Django, websockets by Channels after the origin and the session."""

from __future__ import annotations

import os

from channels.auth import AuthMiddlewareStack
from channels.routing import ProtocolTypeRouter, URLRouter
from channels.security.websocket import AllowedHostsOriginValidator
from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "app.settings")

django_application = get_asgi_application()  # before anything that imports models

from app.interviews.consumers import websocket_urlpatterns as interviews  # noqa: E402
from app.practice.consumers import websocket_urlpatterns as practice  # noqa: E402

application = ProtocolTypeRouter(
    {
        "http": django_application,
        "websocket": AllowedHostsOriginValidator(
            AuthMiddlewareStack(URLRouter([*practice, *interviews]))
        ),
    }
)

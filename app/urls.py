"""Every address of the site."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("", include("app.practice.urls")),
    path("", include("app.designs.urls")),
    path("authoring/", include("app.authoring.urls")),
    path("interviews/", include("app.interviews.urls")),
    path("accounts/", include("app.accounts.urls")),
    path("admin/", admin.site.urls),
    path("i18n/", include("django.conf.urls.i18n")),
]

"""Addresses of accounts."""

from __future__ import annotations

from django.urls import path

from app.accounts import views

app_name = "accounts"
urlpatterns = [
    path("login/", views.login, name="login"),
    path("logout/", views.logout, name="logout"),
    path("register/", views.register, name="register"),
    path("enter/<str:token>/", views.enter, name="enter"),
    path("settings/", views.settings_page, name="settings"),
    path("theme/", views.theme, name="theme"),
    path("language/", views.language, name="language"),
]

"""Addresses of designs."""

from __future__ import annotations

from django.urls import path

from app.designs import views

app_name = "designs"
urlpatterns = [
    path("problems/<slug:slug>/check/", views.check, name="check"),
    path("submissions/<uuid:pk>/review/", views.review, name="review"),
]

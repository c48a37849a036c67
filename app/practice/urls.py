"""Addresses of practice."""

app_name = "practice"
urlpatterns: list[object] = []

from django.apps import AppConfig


class DesignsConfig(AppConfig):
    name = "app.designs"
    label = "designs"

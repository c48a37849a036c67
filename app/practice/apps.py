from django.apps import AppConfig


class PracticeConfig(AppConfig):
    name = "app.practice"
    label = "practice"

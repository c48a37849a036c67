from django.apps import AppConfig


class InterviewsConfig(AppConfig):
    name = "app.interviews"
    label = "interviews"

from django.apps import AppConfig


class AuthoringConfig(AppConfig):
    name = "app.authoring"
    label = "authoring"

    def ready(self) -> None:
        from app.authoring.queue import sweep
        from app.practice import sweeper

        sweeper.further_rounds.append(sweep)

from django.apps import AppConfig


class WebConfig(AppConfig):
    name = "foretell.web"
    label = "web"

from django.apps import AppConfig


class CrossOriginConfig(AppConfig):
    name = "foretell.core.cross_origin"
    label = "cross_origin"

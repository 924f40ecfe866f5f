from django.apps import AppConfig


class IdempotencyConfig(AppConfig):
    name = "foretell.core.idempotency"
    label = "idempotency"

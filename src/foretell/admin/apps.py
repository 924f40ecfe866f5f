from django.apps import AppConfig


class AdminPagesConfig(AppConfig):
    """The admin's templates; it has no models."""

    name = "foretell.admin"
    label = "foretell_admin"

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "foretell.accounts"
    label = "accounts"

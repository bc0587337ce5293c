"""The Django application of the accounts."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "hydroml.entrypoints.web.accounts"
    label = "accounts"

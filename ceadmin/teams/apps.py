"""The team as a Django application."""

from django.apps import AppConfig


class TeamsConfig(AppConfig):
    """Organizations, people, and who may do what."""

    name = "ceadmin.teams"
    label = "teams"
    verbose_name = "Team"

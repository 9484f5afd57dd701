"""The audit as a Django application."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate

from ceadmin.audit.triggers import install_after_migrate


class AuditConfig(AppConfig):
    """Events, and the triggers that keep them."""

    name = "ceadmin.audit"
    label = "audit"
    verbose_name = "Audit"

    def ready(self) -> None:
        """Put the triggers back after every migrate."""
        post_migrate.connect(install_after_migrate, sender=self)

"""ceadmin as Django applications: the project itself, and the admin with our site."""

from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig
from django.core.checks import register

from ceadmin.checks import check_configuration


class CeadminConfig(AppConfig):
    """The project: commands, templates, static files and checks."""

    name = "ceadmin"
    label = "ceadmin"
    verbose_name = "ceadmin"

    def ready(self) -> None:
        """Let `manage.py check` tell what is wrong with the configuration."""
        register(check_configuration)


class CeadminAdminConfig(AdminConfig):
    """Django's admin on our own site."""

    default_site = "ceadmin.site.CeAdminSite"

"""ceadmin as Django applications: the project itself, and the admin with our site."""

from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig
from django.core.checks import Tags, register

from ceadmin.checks import check_configuration
from ceadmin.data_checks import check_data


class CeadminConfig(AppConfig):
    """The project: commands, templates, static files and checks."""

    name = "ceadmin"
    label = "ceadmin"
    verbose_name = "ceadmin"

    def ready(self) -> None:
        """Let `manage.py check` tell what is wrong with the configuration."""
        register(check_configuration)
        register(check_data, Tags.database)


class CeadminAdminConfig(AdminConfig):
    """Django's admin on our own site."""

    default_site = "ceadmin.site.CeAdminSite"

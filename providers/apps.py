"""The app of OAuth providers."""

from django.apps import AppConfig
from django.core.checks import register
from django.utils.translation import gettext_lazy as _


class ProvidersConfig(AppConfig):
    """The catalogue of providers and the teams' apps with them."""

    name = "providers"
    label = "providers"
    default_auto_field = "django.db.models.BigAutoField"
    verbose_name = _("Providers")

    def ready(self) -> None:
        """Let `manage.py check` tell what is wrong with the catalogue."""
        from providers.checks import check_catalogue  # noqa: PLC0415 (needs the settings)

        register(check_catalogue)

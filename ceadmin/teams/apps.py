"""The team as a Django application."""

from django.apps import AppConfig
from django.contrib.auth.signals import (
    user_logged_in,
    user_logged_out,
    user_login_failed,
)
from django.utils.translation import gettext_lazy as _


class TeamsConfig(AppConfig):
    """Organizations, people, and who may do what."""

    name = "ceadmin.teams"
    label = "teams"
    verbose_name = _("Team")

    def ready(self) -> None:
        """Let the audit know of every sign-in."""
        from ceadmin.teams import signins  # noqa: PLC0415 (needs the models)

        user_logged_in.connect(signins.on_sign_in, dispatch_uid="audit")
        user_logged_out.connect(signins.on_sign_out, dispatch_uid="audit")
        user_login_failed.connect(signins.on_refusal, dispatch_uid="audit")

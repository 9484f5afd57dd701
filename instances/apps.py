"""The app of Cloud Elements instances, runs and reconnecting people."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class InstancesConfig(AppConfig):
    """Cloud Elements instances and the runs over them."""

    name = "instances"
    label = "instances"
    default_auto_field = "django.db.models.BigAutoField"
    verbose_name = _("Instances")

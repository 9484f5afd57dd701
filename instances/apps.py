"""The app of Cloud Elements instances, runs and reconnecting people."""

from django.apps import AppConfig


class InstancesConfig(AppConfig):
    """Cloud Elements instances and the runs over them."""

    name = "instances"
    label = "instances"
    default_auto_field = "django.db.models.BigAutoField"
    verbose_name = "Instances"

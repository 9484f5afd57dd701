"""The admin of instances, runs and links, and of what needs them: organizations and provider apps."""

from instances.admin import (
    instance,
    item,
    organization,
    overview,
    provider_app,
    reconnect_link,
    run,
)

__all__ = [
    "instance",
    "item",
    "organization",
    "overview",
    "provider_app",
    "reconnect_link",
    "run",
]

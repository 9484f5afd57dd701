"""The admin of instances, runs and links, and of what needs them: organizations, provider apps and limits."""

from instances.admin import (
    audit,
    enabled_provider,
    instance,
    item,
    limit,
    organization,
    overview,
    provider_app,
    reconnect_link,
    run,
    saved_view,
)

__all__ = [
    "audit",
    "enabled_provider",
    "instance",
    "item",
    "limit",
    "organization",
    "overview",
    "provider_app",
    "reconnect_link",
    "run",
    "saved_view",
]

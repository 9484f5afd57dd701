"""The admin of instances, runs and links, and of what needs them: organizations, provider apps and limits."""

from instances.admin import (
    audit,
    catalogue_page,
    enabled_provider,
    instance,
    item,
    limit,
    organization,
    overview,
    own_provider,
    provider_app,
    reconnect_link,
    run,
    saved_view,
)

__all__ = [
    "audit",
    "catalogue_page",
    "enabled_provider",
    "instance",
    "item",
    "limit",
    "organization",
    "overview",
    "own_provider",
    "provider_app",
    "reconnect_link",
    "run",
    "saved_view",
]

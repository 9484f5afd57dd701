"""What the page of one instance tells: how it stands, who is affected, how it was, and what happened."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.models import AnonymousUser
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext

from ceadmin import ui
from ceadmin.teams.choices import Act
from ceadmin.teams.models import User
from ceadmin.teams.permissions import may
from instances.admin import catalogue_records
from instances.admin.standing import Standing, standing_of
from instances.admin.timeline import Line, lines_of
from instances.admin.uptime import Uptime, uptime_of
from instances.models import Instance
from providers.book import book_of

#: So many of those that share its grant are named.
_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Affected:
    """Who notices when this instance dies."""

    tags: tuple[
        tuple[str, str], ...
    ]  # the customer's, each with the list of all that carry it
    siblings: tuple[Instance, ...]  # they share the grant: what kills one kills all
    sharing: int  # how many hold the grant, this one among them; 0: all are named
    all_sharing: str  # where exactly these are
    kills: str  # what a revocation takes along at this provider


@dataclass(frozen=True, slots=True)
class ByHand:
    """What a person does at a provider where nothing can be called."""

    provider: str
    steps: tuple[str, ...]
    only_way: bool  # nothing can be called here


@dataclass(frozen=True, slots=True)
class Story:
    """Everything the page shows around its form."""

    standing: Standing
    affected: Affected
    facts: tuple[tuple[str, Any], ...]
    uptime: Uptime
    lines: tuple[Line, ...]
    all_lines: str
    by_hand: ByHand | None
    audit_url: str


def story_of(instance: Instance, user: User | AnonymousUser, now: datetime) -> Story:
    """Return the story of `instance` as `user` may see it, by the reader's own clock."""
    audits = may(user, Act.AUDIT, instance.organization)
    items = reverse("admin:instances_item_changelist")
    return Story(
        standing=standing_of(instance, user, now),
        affected=_affected(instance),
        facts=_facts(instance),
        uptime=uptime_of(instance, now, timezone.get_current_timezone()),
        lines=lines_of(instance, audits=audits),
        all_lines=f"{items}?instance__exact={instance.pk}",
        by_hand=_by_hand(instance),
        audit_url=reverse("admin:instances_instance_history", args=[instance.pk])
        if audits
        else "",
    )


def _affected(instance: Instance) -> Affected:
    provider = book_of(instance.organization).find(instance.provider_key)
    listing = reverse("admin:instances_instance_changelist")
    names = sorted(tag.name for tag in instance.tags.all())
    mine = Instance.objects.filter(pk=instance.pk)
    others = mine.siblings(instance.organization).order_by("name", "pk")
    shown = tuple(others[: _SHOWN + 1])
    sharing = others.count() + 1 if len(shown) > _SHOWN else 0
    return Affected(
        tags=tuple((name, f"{listing}?{urlencode({'tag': name})}") for name in names),
        siblings=shown[:_SHOWN],
        sharing=sharing,
        all_sharing=f"{listing}?grant_of={instance.pk}",
        kills=provider.kills if provider and provider.revocable else "",
    )


def _by_hand(instance: Instance) -> ByHand | None:
    provider = book_of(instance.organization).find(instance.provider_key)
    if provider is None or not provider.manual_steps:
        return None
    return ByHand(provider.name, provider.manual_steps, not provider.revocable)


def _facts(instance: Instance) -> tuple[tuple[str, Any], ...]:
    app = _page_of(instance.provider_app)
    return (
        (gettext("Id at the platform"), instance.remote_id),
        (
            gettext("Provider"),
            catalogue_records.link(instance.provider_key, instance.organization),
        ),
        (gettext("Element"), instance.element_key),
        (gettext("Organization"), _page_of(instance.organization)),
        (gettext("Provider app"), app or gettext("None assigned")),
        (gettext("Last probe"), ui.when(instance.probed_at, timezone.now())),
        (gettext("Last revocation"), ui.when(instance.revoked_at, timezone.now())),
        (gettext("Last reconnect"), ui.when(instance.reconnected_at, timezone.now())),
        (gettext("Callback address"), instance.callback_url),
        (gettext("Grant fingerprint"), _short(instance.grant_fingerprint)),
    )


def _page_of(row: Any) -> Any:
    """Link a row to its page."""
    if row is None:
        return None
    name = f"admin:{row._meta.app_label}_{row._meta.model_name}_change"
    return format_html('<a href="{}">{}</a>', reverse(name, args=[row.pk]), row)


def _short(fingerprint: str) -> Any:
    """Show as much of a fingerprint as tells two apart, the whole on hover."""
    if not fingerprint:
        return ""
    start = fingerprint.partition(":")[2][:12]
    return format_html('<code title="{}">{}…</code>', fingerprint, start)

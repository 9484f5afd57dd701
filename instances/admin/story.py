"""What the page of one instance tells: its state in a sentence, the next step, facts, and what happened."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html

from ceadmin import ui
from ceadmin.teams.choices import Act
from ceadmin.teams.models import User
from ceadmin.teams.permissions import may
from instances.actions.causes import sentence
from instances.admin import words
from instances.admin.receipts import address_of, has_receipt
from instances.choices import InstanceStatus, RunKind, RunStatus
from instances.models import Flip, Instance, Item, ReconnectLink
from instances.runs import act_on_selection
from instances.selection import of_instances
from providers.book import book_of

_SHOWN = 20

#: What a status says, and the step that follows from it.
_SENTENCES: dict[str, tuple[str, str]] = {
    InstanceStatus.UNKNOWN: (
        "Nothing is known yet: it was never probed.",
        RunKind.PROBE,
    ),
    InstanceStatus.CONNECTED: ("It works.", RunKind.PROBE),
    InstanceStatus.DEGRADED: (
        "The provider or the platform is failing; the grant may be alive.",
        RunKind.PROBE,
    ),
    InstanceStatus.NEEDS_REAUTH: (
        "Its authorization is dead. Somebody has to reconnect it.",
        RunKind.RECONNECT,
    ),
    InstanceStatus.REVOKED: (
        "Its grant was revoked from here. Somebody has to reconnect it.",
        RunKind.RECONNECT,
    ),
    InstanceStatus.DISABLED: (
        "The platform has disabled it. Reconnecting enables it again.",
        RunKind.RECONNECT,
    ),
    InstanceStatus.MISSING: ("The platform no longer lists it.", ""),
}
_BUTTONS: dict[str, str] = {
    RunKind.PROBE: "Probe",
    RunKind.RECONNECT: "Make a reconnect link",
    RunKind.DRILL: "Drill…",
    RunKind.REVOKE: "Revoke token…",
}


@dataclass(frozen=True, slots=True)
class Button:
    """One thing that can be done from here."""

    label: str
    url: str
    css: str


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that happened."""

    at: datetime
    word: str  # a status or outcome, drawn as a pill
    text: str
    url: str = ""
    more: str = ""  # why
    run: int | None = None
    receipt: str = ""  # where it is, for those who may read the audit


@dataclass(frozen=True, slots=True)
class Story:
    """Everything the page shows around its form."""

    sentence: str
    reason: str
    buttons: tuple[Button, ...]
    facts: tuple[tuple[str, Any], ...]
    lines: tuple[Line, ...]
    siblings: tuple[Instance, ...]
    manual_steps: tuple[str, ...]
    manual_steps_of: str
    audit_url: str


def story_of(instance: Instance, user: User | AnonymousUser) -> Story:
    """Return the story of `instance` as `user` may see it."""
    told, next_kind = _SENTENCES[instance.status]
    audits = may(user, Act.AUDIT, instance.organization)
    provider = book_of(instance.organization).find(instance.provider_key)
    return Story(
        sentence=told,
        reason=sentence(instance.status_reason),
        buttons=_buttons(instance, user, next_kind),
        facts=_facts(instance),
        lines=_lines(instance, audits=audits),
        siblings=_siblings(instance),
        manual_steps=provider.manual_steps if provider else (),
        manual_steps_of=provider.name if provider else "",
        audit_url=reverse("admin:instances_instance_history", args=[instance.pk])
        if audits
        else "",
    )


def _buttons(
    instance: Instance, user: User | AnonymousUser, next_kind: str
) -> tuple[Button, ...]:
    buttons, chosen = [], of_instances([instance.pk])
    for kind, label in _BUTTONS.items():
        act = act_on_selection(kind, instance.organization, chosen)
        if instance.status == InstanceStatus.MISSING or not may(
            user, act, instance.organization
        ):
            continue
        dangerous = kind in (RunKind.REVOKE, RunKind.DRILL)
        css = "primary" if kind == next_kind else "danger-quiet" if dangerous else ""
        url = reverse("admin:instances_instance_act", args=[instance.pk, kind])
        buttons.append(Button(label, url, css))
    return tuple(buttons)


def _facts(instance: Instance) -> tuple[tuple[str, Any], ...]:
    return (
        ("Id at the platform", instance.remote_id),
        ("Element", instance.element_key),
        ("Organization", _page_of(instance.organization)),
        ("Provider app", _page_of(instance.provider_app) or "None assigned"),
        ("Account", instance.account),
        ("Tags", ", ".join(sorted(tag.name for tag in instance.tags.all()))),
        ("Last probe", ui.when(instance.probed_at, timezone.now())),
        ("Callback address", instance.callback_url),
        ("Grant fingerprint", _short(instance.grant_fingerprint)),
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


def _lines(instance: Instance, *, audits: bool) -> tuple[Line, ...]:
    items = _items(instance, audits=audits)
    told = {line.run for line in items}
    # What a run changed stands in the run's own line.
    flips = [line for line in _flips(instance) if line.run not in told]
    lines = [*flips, *items, *_links(instance)]
    return tuple(sorted(lines, key=lambda line: line.at, reverse=True)[:_SHOWN])


def _flips(instance: Instance) -> list[Line]:
    flips = Flip.objects.filter(instance=instance).order_by("-at", "-pk")[:_SHOWN]
    return [
        Line(
            flip.at,
            flip.to_status,
            f"Was {flip.get_from_status_display().lower()}",
            more=sentence(flip.reason),
            run=flip.run_id,
        )
        for flip in flips
    ]


def _items(instance: Instance, *, audits: bool) -> list[Line]:
    items = (
        Item.objects.filter(instance=instance)
        .select_related("run")
        .order_by("-pk")[:_SHOWN]
    )
    return [
        Line(
            item.finished_at or item.started_at or item.run.created_at,
            item.outcome
            or ("draft" if item.run.status == RunStatus.DRAFT else item.status),
            f"{item.run.get_kind_display()} by {item.run.requested_by_name or 'the schedule'}",
            reverse("admin:instances_item_change", args=[item.pk]),
            words.why(item) if item.outcome else "",
            item.run_id,
            address_of(item) if audits and has_receipt(item) else "",
        )
        for item in items
    ]


def _links(instance: Instance) -> list[Line]:
    links = ReconnectLink.objects.filter(instance=instance).order_by("-made_at", "-pk")[
        :_SHOWN
    ]
    return [
        Line(
            link.finished_at or link.opened_at or link.made_at,
            link.status,
            f"Reconnect link by {link.made_by_name or 'the schedule'}",
            reverse("admin:instances_reconnectlink_change", args=[link.pk]),
            link.problem_text,
        )
        for link in links
    ]


def _siblings(instance: Instance) -> tuple[Instance, ...]:
    if not instance.grant_fingerprint:
        return ()
    same = Instance.objects.of(instance.organization).filter(
        grant_fingerprint=instance.grant_fingerprint
    )
    return tuple(same.exclude(pk=instance.pk).order_by("name", "pk")[:_SHOWN])

"""How one instance stands: a sentence, and the next step for whoever reads it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import AnonymousUser
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from ceadmin import ui
from ceadmin.lib.sayings import inside
from ceadmin.teams.choices import Act
from ceadmin.teams.models import User
from ceadmin.teams.permissions import may
from instances import runs
from instances.actions.causes import sentence
from instances.choices import (
    NEEDS_PERSON,
    RUN_ACTIVE,
    InstanceStatus,
    ItemStatus,
    RunKind,
    meaning,
)
from instances.models import Instance, Item, ReconnectLink
from instances.selection import of_instances

#: What a status says, and the run that is the next step.
_SENTENCES: dict[str, tuple[str | Promise, str]] = {
    InstanceStatus.UNKNOWN: (
        _("Nothing is known yet: it was never probed."),
        RunKind.PROBE,
    ),
    InstanceStatus.CONNECTED: (_("It works."), RunKind.PROBE),
    InstanceStatus.DEGRADED: (
        _("The provider or the platform is failing; the grant may be alive."),
        RunKind.PROBE,
    ),
    InstanceStatus.NEEDS_REAUTH: (
        _("Its authorization is dead. Somebody has to reconnect it."),
        RunKind.RECONNECT,
    ),
    InstanceStatus.REVOKED: (
        _("Its grant was revoked from here. Somebody has to reconnect it."),
        RunKind.RECONNECT,
    ),
    InstanceStatus.DISABLED: (
        _("The platform has disabled it. Reconnecting enables it again."),
        RunKind.RECONNECT,
    ),
    InstanceStatus.MISSING: (
        _(
            "The platform no longer lists it. Sync the organization; if it stays away, "
            "somebody has deleted it there."
        ),
        "",
    ),
}
_BUTTONS: dict[str, Promise] = {
    RunKind.PROBE: _("Probe"),
    RunKind.RECONNECT: _("Make a reconnect link"),
    RunKind.DRILL: _("Drill…"),
    RunKind.REVOKE: _("Revoke token…"),
}
_WHO: dict[str, Promise] = {
    RunKind.PROBE: _("An operator of %(organization)s can probe it."),
    RunKind.RECONNECT: _("An operator of %(organization)s can make a reconnect link."),
}


@dataclass(frozen=True, slots=True)
class Button:
    """One thing that can be done from here; it is posted where it starts something."""

    label: str
    url: str
    css: str = ""
    posts: bool = True


@dataclass(frozen=True, slots=True)
class Standing:
    """What the page says first."""

    sentence: str
    why: str  # "" where the sentence says it all
    step: Button | None
    advice: str  # what to do where this reader has no button for it
    buttons: tuple[Button, ...]  # everything else that can be done
    obstacles: tuple[tuple[str, str], ...]  # what cannot be done, and why


def standing_of(
    instance: Instance, user: User | AnonymousUser, now: datetime
) -> Standing:
    """Return how `instance` stands, for `user`."""
    told, kind = _SENTENCES[instance.status]
    if instance.status == InstanceStatus.UNKNOWN and instance.status_reason:
        told = _("It worked before; whether it still does is not known.")
    allowed = list(_allowed(instance, user))
    obstacles = {one: why for one in allowed if (why := runs.obstacle(one, instance))}
    possible = [one for one in allowed if one not in obstacles]
    pressing = _under_way(instance) or _concern(instance) or _awaited(instance, now)
    step = pressing.step if pressing else _next(instance, kind, possible, obstacles)
    acts = [_act(instance, one) for one in possible]
    advice = "" if step or kind in allowed else _advice(instance, kind)
    return Standing(
        sentence=pressing.sentence if pressing else str(told),
        why="" if pressing else gettext(sentence(instance.status_reason)),
        step=step,
        advice=pressing.advice if pressing else advice,
        buttons=tuple(one for one in acts if step is None or one.url != step.url),
        obstacles=tuple(
            (str(_BUTTONS[one]).rstrip("…"), gettext(why))
            for one, why in obstacles.items()
        ),
    )


@dataclass(frozen=True, slots=True)
class _Pressing:
    """What comes before anything that the status says."""

    sentence: str
    step: Button
    advice: str = ""


def _under_way(instance: Instance) -> _Pressing | None:
    """Return the run that has the instance in hand now."""
    items = Item.objects.filter(instance_uid=instance.uid).open()
    now = items.filter(run__status__in=sorted(RUN_ACTIVE)).select_related("run")
    item = now.order_by("-pk").first()
    if item is None:
        return None
    kind = {"kind": inside(item.run.get_kind_display())}
    if item.status == ItemStatus.WAITING:
        url = reverse("admin:instances_item_change", args=[item.pk])
        told = gettext("A %(kind)s waits for a person at the provider's consent page.")
        step = Button(gettext("See where it waits"), url, "primary", posts=False)
        return _Pressing(told % kind, step)
    url = reverse("admin:instances_run_change", args=[item.run_id])
    told = gettext("A %(kind)s run has it in hand just now.") % kind
    step = Button(gettext("Follow the run"), url, "primary", posts=False)
    return _Pressing(told, step)


def _concern(instance: Instance) -> _Pressing | None:
    """Return the revocation that left it alive, or nobody knows how."""
    left = Item.objects.of_concern().filter(instance_uid=instance.uid)
    item = left.select_related("run").order_by("-pk").first()
    if item is None:
        return None
    means, url = (
        meaning(item.run.kind, item.outcome),
        reverse("admin:instances_item_change", args=[item.pk]),
    )
    told = gettext("A revocation of it is %(outcome)s. %(sentence)s") % {
        "outcome": inside(ui.look(item.outcome).label),
        "sentence": gettext(means.sentence),
    }
    step = Button(gettext("See what was answered"), url, "primary", posts=False)
    return _Pressing(told, step, gettext(means.next_step))


def _awaited(instance: Instance, now: datetime) -> _Pressing | None:
    """Return the reconnect link that waits for a person."""
    if instance.status not in NEEDS_PERSON:
        return None
    links = ReconnectLink.objects.usable(now).filter(instance=instance)
    link = links.order_by("-made_at", "-pk").first()
    if link is None:
        return None
    url = reverse("admin:instances_reconnectlink_change", args=[link.pk])
    told = gettext("%(sentence)s A reconnect link waits for them.") % {
        "sentence": _SENTENCES[instance.status][0]
    }
    step = Button(gettext("Open the reconnect link"), url, "primary", posts=False)
    return _Pressing(told, step)


def _next(
    instance: Instance,
    kind: str,
    possible: Collection[str],
    obstacles: Mapping[str, str],
) -> Button | None:
    """Return the button that the status asks for, or the one that clears its way."""
    if kind in possible:
        return _act(instance, kind, "primary")
    if kind in obstacles:  # nothing but the app is ever in the way of these
        label = gettext("Choose a provider app")
        return Button(label, "#instance_form", "primary", posts=False)
    if instance.status == InstanceStatus.MISSING:
        pk = instance.organization_id
        url = reverse("admin:teams_organization_change", args=[pk])
        label = gettext("Go to the organization")
        return Button(label, url, "primary", posts=False)
    return None


def _act(instance: Instance, kind: str, css: str = "") -> Button:
    dangerous = kind in (RunKind.REVOKE, RunKind.DRILL)
    url = reverse("admin:instances_instance_act", args=[instance.pk, kind])
    label = str(_BUTTONS[kind])
    return Button(label, url, css or ("danger-quiet" if dangerous else ""))


def _advice(instance: Instance, kind: str) -> str:
    if kind not in _WHO:
        return ""
    return str(_WHO[kind]) % {"organization": instance.organization}


def _allowed(instance: Instance, user: User | AnonymousUser) -> Iterable[str]:
    """Yield the kinds of run that somebody may start over this instance."""
    if instance.status == InstanceStatus.MISSING:
        return
    chosen, known = of_instances([instance.pk]), dict[Act, bool]()
    for kind in _BUTTONS:
        act = runs.act_on_selection(kind, instance.organization, chosen)
        if act not in known:
            known[act] = may(user, act, instance.organization)
        if known[act]:
            yield kind

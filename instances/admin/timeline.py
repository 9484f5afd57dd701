"""What happened to one instance: changes of its status, runs, revocations with their proof, reconnects."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Exists, OuterRef, Q
from django.urls import reverse
from django.utils.translation import gettext

from ceadmin.lib.sayings import inside
from instances.actions.causes import sentence
from instances.admin import words
from instances.admin.receipts import address_of, has_receipt
from instances.choices import ItemStatus, RunKind, RunStatus
from instances.models import Flip, Instance, Item, ReconnectLink, Run
from instances.spoken import spoken

_SHOWN = 20


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


def lines_of(instance: Instance, *, audits: bool) -> tuple[Line, ...]:
    """Return the newest lines first; receipts are named to those who may read the audit."""
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
            gettext("Was %(status)s")
            % {"status": inside(flip.get_from_status_display())},
            reverse("admin:instances_run_change", args=[flip.run_id])
            if flip.run_id
            else "",
            more=gettext(sentence(flip.reason)),
            run=flip.run_id,
        )
        for flip in flips
    ]


def _items(instance: Instance, *, audits: bool) -> list[Line]:
    # A probe that found nothing new is no event; there may be one every five minutes.
    changes = Flip.objects.filter(instance=instance, run=OuterRef("run"))
    told = Q(run__kind=RunKind.PROBE) & ~Q(Exists(changes)) & Q(status=ItemStatus.DONE)
    items = (
        Item.objects.filter(instance=instance)
        .exclude(told)
        .exclude(run__status=RunStatus.EXPIRED)  # never started
        .select_related("run")
        .order_by("-pk")[:_SHOWN]
    )
    return [
        Line(
            item.finished_at or item.started_at or item.run.created_at,
            item.outcome
            or ("draft" if item.run.status == RunStatus.DRAFT else item.status),
            _made(item.run),
            reverse("admin:instances_item_change", args=[item.pk]),
            spoken(words.why(item)) if item.outcome else "",
            item.run_id,
            address_of(item) if audits and has_receipt(item) else "",
        )
        for item in items
    ]


def _made(run: Run) -> str:
    told = {"kind": run.get_kind_display(), "who": run.requested_by_name}
    if not run.requested_by_name:
        return gettext("%(kind)s by the schedule") % told
    return gettext("%(kind)s by %(who)s") % told


def _links(instance: Instance) -> list[Line]:
    links = ReconnectLink.objects.filter(instance=instance).order_by("-made_at", "-pk")[
        :_SHOWN
    ]
    return [
        Line(
            link.finished_at or link.opened_at or link.made_at,
            link.status,
            gettext("Reconnect link by %(who)s") % {"who": link.made_by_name}
            if link.made_by_name
            else gettext("Reconnect link by the schedule"),
            reverse("admin:instances_reconnectlink_change", args=[link.pk]),
            spoken(link.problem_text),
        )
        for link in links
    ]

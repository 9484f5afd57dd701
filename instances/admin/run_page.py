"""What the pages of a run show: the draft's effects, the live numbers, an item's evidence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.db.models import Case, Count, IntegerField, Max, Min, QuerySet, Value, When
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone

from ceadmin import ui
from ceadmin.teams.choices import Act
from ceadmin.teams.models import User
from ceadmin.teams.permissions import may
from instances import reconnect, runs
from instances.actions.causes import sentence
from instances.admin import words
from instances.admin.steps import Step, steps
from instances.choices import (
    MEANINGS,
    InstanceStatus,
    ItemStatus,
    Outcome,
    RunKind,
    RunStatus,
    Weight,
    meaning,
)
from instances.forms import StartForm
from instances.models import Attempt, Item, ReconnectLink, Run

_SHOWN = 50
_SAMPLE = 10
_CAUSES = 5
_MOVING = (RunStatus.PLANNING, RunStatus.RUNNING, RunStatus.STOPPING, RunStatus.PAUSED)
_VERBS = {
    RunKind.SYNC: "Sync",
    RunKind.REVOKE: "Revoke",
    RunKind.DRILL: "Drill",
    RunKind.PROBE: "Probe",
    RunKind.RECONNECT: "Reauthenticate",
}


def title_of(run: Run, total: int) -> str:
    """Return what a run does to what: "Revoke 214 instances", "Drill Acme – EU"."""
    verb = _VERBS[RunKind(run.kind)]
    if run.kind == RunKind.SYNC:
        return f"{verb} {run.organization}"
    if not total and not run.planned_at:
        return f"{verb} instances"
    if total != 1:
        return f"{verb} {ui.things(total, 'instance', 'instances')}"
    only = Item.objects.filter(run=run).order_by("number").first()
    return f"{verb} {only.instance_name if only else '1 instance'}"


def audit_url(run: Run, user: User | AnonymousUser) -> str:
    """Return where a run's audit events are, "" for those who may not read them."""
    if not may(user, Act.AUDIT, run.organization):
        return ""
    return reverse("admin:instances_run_history", args=[run.pk])


def draft_context(
    run: Run, user: User | AnonymousUser, form: StartForm
) -> dict[str, Any]:
    """Return what the confirmation page shows."""
    seen = runs.preview(run)
    return {
        "preview": seen,
        "form": form,
        "planned": run.planned_at is not None,
        "heading": title_of(run, seen.total),
        "verb": _VERBS[RunKind(run.kind)],
        "providers": ui.things(len(seen.effects), "provider", "providers"),
        "allowed": may(user, runs.ACT_OF_KIND[run.kind], run.organization),
        "effects": [(effect, _statuses(effect)) for effect in seen.effects],
        "sample": Item.objects.filter(run=run).order_by("number")[:_SAMPLE],
        "audit_url": audit_url(run, user),
    }


def _statuses(effect: runs.Effect) -> list[tuple[str, str, int]]:
    return [
        (status, InstanceStatus(status).label, count)
        for status, count in effect.statuses
    ]


def live_context(run: Run, request: HttpRequest) -> dict[str, Any]:
    """Return what the live page shows at first; the poll brings the same again."""
    counts = runs.progress(run)
    allowed = may(request.user, runs.ACT_OF_KIND[run.kind], run.organization)
    operates = may(request.user, Act.OPERATE, run.organization)
    links = _links(run, shown=operates)
    return {
        **_numbers(run, counts),
        "heading": title_of(run, counts.total),
        "counts": counts,
        "outcomes": _outcomes(run, counts),
        "causes": _causes(run),
        "items": _items(run, linked=operates),
        "links": links,
        "open_links": any(row["address"] for row in links),
        "steps": _steps_of(run, linked=operates),
        "allowed": allowed,
        "audit_url": audit_url(run, request.user),
        "live_url": reverse("admin:instances_run_live", args=[run.pk]),
    }


def live_json(run: Run, request: HttpRequest) -> dict[str, Any]:
    """Return the live page's numbers and parts; small however large the run is."""
    if run.status == RunStatus.DRAFT:
        return _draft_json(run)
    context = live_context(run, request)
    part = {"run": run, **context}
    return {
        **_numbers(run, context["counts"]),
        "heading": context["heading"],
        "pill": ui.pill(run.status),
        **{
            name: render_to_string(f"instances/run/{name}.html", part, request)
            for name in ("outcomes", "causes", "items", "links")
        },
        "steps": render_to_string(
            "ceadmin/timeline.html", {"steps": context["steps"]}, request
        ),
        "done": run.is_terminal,
    }


def _draft_json(run: Run) -> dict[str, Any]:
    """Send a draft's page to itself once its list is frozen."""
    page = reverse("admin:instances_run_change", args=[run.pk])
    return {"goto": page} if run.planned_at else {"done": False}


def _numbers(run: Run, counts: runs.Progress) -> dict[str, Any]:
    now = timezone.now()
    return {
        "percent": f"{counts.percent} %",
        "verdict": _verdict(run, counts),
        "bar": "ok" if run.is_terminal and not counts.attention else "active",
        "done_count": counts.done,
        "total": counts.total,
        "eta": _eta(run, counts, now),
        "summary": f"{counts.done} of {counts.total} done, {counts.attention} need attention.",
        "can_pause": run.status == RunStatus.RUNNING,
        "can_resume": run.status == RunStatus.PAUSED,
        "can_stop": run.status
        in (RunStatus.PLANNING, RunStatus.RUNNING, RunStatus.PAUSED),
        "can_retry": run.is_terminal
        and counts.attention > 0
        and run.kind != RunKind.SYNC,
        "retry": f"Retry {counts.attention} that need attention"
        if counts.attention > 1
        else "Retry the one that needs attention",
        "moving": run.status in _MOVING,
    }


def _verdict(run: Run, counts: runs.Progress) -> str:
    """Return how far it is, and once it ended what it came to."""
    if not run.is_terminal:
        return f"{counts.percent} %"
    if counts.attention:
        need = "needs" if counts.attention == 1 else "need"
        return f"{ui.number(counts.attention)} of {ui.number(counts.total)} {need} attention"
    if not counts.total:
        return "Nothing has changed" if run.kind == RunKind.SYNC else "Nothing to do"
    return "Nothing needs attention"


def _eta(run: Run, counts: runs.Progress, now: datetime) -> str:
    if run.status == RunStatus.PLANNING:
        return "freezing the list"
    if counts.waiting and counts.waiting + counts.done == counts.total:
        return f"waiting for {ui.things(counts.waiting, 'person', 'people')} to consent"
    if run.is_terminal or not run.started_at:
        return _took(run)
    spent = now - run.started_at
    if not counts.done or spent < timedelta(seconds=2):
        return ""
    left = spent / counts.done * (counts.total - counts.done - counts.waiting)
    return (
        f"about {ui.short_duration(left)} left"
        if left >= timedelta(seconds=1)
        else "nearly done"
    )


def _took(run: Run) -> str:
    if not run.finished_at or not run.started_at:
        return ""
    took = run.finished_at - run.started_at
    if took < timedelta(seconds=1):
        return "took less than a second"
    return f"took {ui.short_duration(took)}"


def _outcomes(run: Run, counts: runs.Progress) -> list[tuple[str, int, str]]:
    """Return outcome, count and the address of exactly these rows, those that need attention first."""
    listing = f"{reverse('admin:instances_item_changelist')}?run__id__exact={run.pk}"
    first = sorted(
        counts.outcomes,
        key=lambda one: ((RunKind(run.kind), Outcome(one)) not in _ATTENTION, one),
    )
    # What a sync left as it was has no rows.
    told = [
        (
            one,
            counts.outcomes[one],
            "" if one == Outcome.UNCHANGED else f"{listing}&outcome__exact={one}",
        )
        for one in first
    ]
    if counts.waiting:
        told.append(("waiting", counts.waiting, f"{listing}&status__exact=waiting"))
    return told


@dataclass(frozen=True, slots=True)
class Reason:
    """Why some items of a run need attention: how many, in words, and where they are."""

    count: int
    text: str
    cause: str
    url: str


def _causes(run: Run) -> list[Reason]:
    kind = RunKind(run.kind)
    bad = [outcome for outcome in Outcome if (kind, outcome) in _ATTENTION]
    rows = (
        Item.objects.filter(run=run, outcome__in=bad)
        .exclude(cause="")
        .order_by()
        .values("outcome", "cause")
        .annotate(count=Count("pk"), low=Min("explanation"), high=Max("explanation"))
        .order_by("-count", "cause", "outcome")[:_CAUSES]
    )
    return [_reason(run, row) for row in rows]


def _reason(run: Run, row: Mapping[str, Any]) -> Reason:
    same = row["low"] if row["low"] == row["high"] else ""
    told = same or sentence(row["cause"]) or meaning(run.kind, row["outcome"]).sentence
    listing = reverse("admin:instances_item_changelist")
    query = f"?run__id__exact={run.pk}&outcome__exact={row['outcome']}&cause__exact={row['cause']}"
    return Reason(row["count"], told, row["cause"], listing + query)


def _items(run: Run, *, linked: bool) -> list[tuple[Item, str]]:
    """Return the items that matter first: concerns, failures, what is under way, the newest.

    What waits in a reconnection stands in the list of links already.
    """
    bad = [outcome for outcome in Outcome if (RunKind(run.kind), outcome) in _ATTENTION]
    first = Case(
        When(outcome__in=bad, then=Value(0)),
        When(status=ItemStatus.WAITING, then=Value(1)),
        When(status=ItemStatus.RUNNING, then=Value(2)),
        default=Value(3),
        output_field=IntegerField(),
    )
    shown = Item.objects.filter(run=run)
    if linked and run.kind == RunKind.RECONNECT:
        shown = shown.exclude(status=ItemStatus.WAITING)
    rows = shown.select_related("instance", "run").order_by(
        first, "-finished_at", "number"
    )[:_SHOWN]
    return [(item, words.why(item)) for item in rows]


#: The outcomes that stand first in a run's list.
_ATTENTION = frozenset(
    pair for pair, told in MEANINGS.items() if told.weight == Weight.ATTENTION
)


def _links(run: Run, *, shown: bool) -> list[dict[str, Any]]:
    if run.kind not in (RunKind.RECONNECT, RunKind.DRILL):
        return []
    return _rows(ReconnectLink.objects.filter(item__run=run), shown=shown)


def _rows(links: QuerySet[ReconnectLink], *, shown: bool) -> list[dict[str, Any]]:
    """Return links and their addresses; whoever has an address may connect an account."""
    newest = links.select_related("instance").order_by("-pk")[:_SHOWN]
    return [
        {
            "link": link,
            "address": reconnect.address_of(link) if shown and link.is_open else "",
        }
        for link in newest
    ]


def _steps_of(run: Run, *, linked: bool) -> list[Step]:
    if run.kind != RunKind.DRILL or run.total != 1:
        return []
    item = Item.objects.filter(run=run).order_by("number").first()
    return steps(item, linked=linked) if item else []


def item_context(item: Item, request: HttpRequest) -> dict[str, Any]:
    """Return what the page of one item shows."""
    told = meaning(item.run.kind, item.outcome) if item.outcome else None
    operates = may(request.user, Act.OPERATE, item.run.organization)
    links = _rows(ReconnectLink.objects.filter(item=item), shown=operates)
    attempts = Attempt.objects.filter(item=item).order_by("at", "pk")
    drill = item.run.kind == RunKind.DRILL
    return {
        "item": item,
        "run": item.run,
        "run_title": title_of(item.run, item.run.total),
        "told": told,
        "explanation": item.explanation or sentence(item.cause),
        "attempts": [(one, words.purpose(one.purpose)) for one in attempts],
        "steps": steps(item, linked=operates) if drill else [],
        "facts": words.facts(item),
        "links": links,
        "open_links": any(row["address"] for row in links),
        "audit_url": _item_audit_url(item, request.user),
        "revoke_url": _revoke_url(item, request.user),
    }


def _revoke_url(item: Item, user: User | AnonymousUser) -> str:
    """Return where the whole grant of what lives on is revoked, "" where there is no need."""
    allowed = may(user, Act.REVOKE, item.run.organization)
    lives = item.outcome == Outcome.STILL_ALIVE and item.cleared_at is None
    if not (lives and allowed and item.instance_id):
        return ""
    return reverse("admin:instances_instance_act", args=[item.instance_id, "revoke"])


def _item_audit_url(item: Item, user: User | AnonymousUser) -> str:
    if not may(user, Act.AUDIT, item.run.organization):
        return ""
    return reverse("admin:instances_item_history", args=[item.pk])

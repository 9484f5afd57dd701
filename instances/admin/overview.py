"""What the overview, the navigation and the search say about instances, runs and links."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.db.models import Q
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, ngettext, ngettext_lazy

from ceadmin import ui
from ceadmin.frame import organizations_in_view
from ceadmin.site import Hit, Need, Panel, site
from ceadmin.teams.permissions import organizations
from instances.admin.approvals import pill_word
from instances.admin.expiring import expiring_secrets
from instances.admin.overview_charts import (
    address,
    health_chart,
    provider_outcomes,
    time_to_reconnect,
    weekly_revocations,
)
from instances.admin.overview_now import (
    concerns_now,
    counts_now,
    failed_apps,
    now_panel,
    outages,
)
from instances.admin.second_person import approval_needs, runs_to_answer
from instances.choices import InstanceStatus, RunStatus
from instances.finding import Question
from instances.finding import find as find_instances
from instances.models import Instance, ReconnectLink, Run
from instances.querysets import RunQuerySet

_HITS = 20
_SHOWN = 8


def _runs(request: HttpRequest) -> RunQuerySet:
    return Run.objects.filter(organization__in=organizations_in_view(request))


def drafts_waiting(request: HttpRequest) -> int:
    """Count the drafts that this person made and can start or discard; of those an approver has, none."""
    if not request.user.is_authenticated:
        return 0
    own = Run.objects.filter(organization__in=organizations(request.user))
    mine = own.filter(requested_by=request.user, status=RunStatus.DRAFT)
    return mine.count() - mine.awaiting_approval().count()


def needs(request: HttpRequest) -> Iterable[Need]:
    """Yield what somebody has to look at, the worst first."""
    own = organizations_in_view(request)
    for organization in own.exclude(secrets_problem=""):
        url = reverse("admin:teams_organization_change", args=[organization.pk])
        told = gettext("The secrets of %(organization)s are refused by the platform")
        yield Need(told % {"organization": organization}, url)
    items = reverse("admin:instances_item_changelist")
    for outcome, words in _CONCERNS.items():
        count = concerns_now(request)[outcome]
        if count:
            yield Need(
                words % {"number": count, "count": ui.number(count)},
                f"{items}?outcome__exact={outcome}&cleared_at__isnull=True",
                count,
            )
    yield from approval_needs(request)
    yield from failed_apps(request)
    yield from outages(request)
    yield from expiring_secrets(request)
    yield from _milder(request)


_CONCERNS = {
    "still_alive": ngettext_lazy(
        "%(count)s instance is still alive after revocation",
        "%(count)s instances are still alive after revocation",
        "number",
    ),
    "unclear": ngettext_lazy(
        "%(count)s instance is unclear after revocation: the provider's answer was lost",
        "%(count)s instances are unclear after revocation: the provider's answer was lost",
        "number",
    ),
    "refused": ngettext_lazy(
        "%(count)s instance is alive because the provider refused the revocation",
        "%(count)s instances are alive because the provider refused the revocation",
        "number",
    ),
    "expiring": ngettext_lazy(
        "%(count)s instance is expiring: the access token lives on for a while",
        "%(count)s instances are expiring: the access token lives on for a while",
        "number",
    ),
}


#: What died without anybody here wanting it. A revoked one was to die: it is counted with
#: all that does not work, and nags nobody.
_DEAD = {
    InstanceStatus.NEEDS_REAUTH.value: ngettext_lazy(
        "%(count)s instance needs reauthentication",
        "%(count)s instances need reauthentication",
        "number",
    ),
    InstanceStatus.DISABLED.value: ngettext_lazy(
        "%(count)s instance was disabled by the platform and needs reauthentication",
        "%(count)s instances were disabled by the platform and need reauthentication",
        "number",
    ),
}


def _milder(request: HttpRequest) -> Iterable[Need]:
    listing = reverse("admin:instances_instance_changelist")
    for status, words in _DEAD.items():
        count = counts_now(request)[status]
        if count:
            told = words % {"number": count, "count": ui.number(count)}
            yield Need(told, f"{listing}?status={status}", count, "warn")
    drafts = drafts_waiting(request)
    if drafts:
        listing = reverse("admin:instances_run_changelist")
        url = f"{listing}?status__exact=draft&approval=nobody"
        url = f"{url}&requested_by__id__exact={request.user.pk}"
        yield Need(
            ngettext(
                "%(count)s draft of yours waits to be started or discarded",
                "%(count)s drafts of yours wait to be started or discarded",
                drafts,
            )
            % {"count": ui.number(drafts)},
            url,
            drafts,
            "active",
        )


def health_now(request: HttpRequest) -> Panel | None:
    """Show the instances by status, now and on each of the last days, each part a link to its rows."""
    counts, listing = counts_now(request), address("instance")
    segments = [
        ui.Segment(
            *(str(label), counts[status], ui.look(status).tone),
            f"{listing}?status={status}",
        )
        for status, label in InstanceStatus.choices
        if counts[status]
    ]
    chart = health_chart(request, counts) if segments else None
    return Panel(
        gettext("Instances by status"),
        "instances/overview/health.html",
        {"segments": segments, "chart": chart, "listing": listing},
        url=listing,
        wide=True,
    )


def recent_runs(request: HttpRequest) -> Panel | None:
    """Show the newest runs."""
    rows = _runs(request).with_approval().select_related("organization")
    newest = rows.order_by("-created_at", "-pk")[:_SHOWN]
    shown = [(run, _word(run)) for run in newest]
    return Panel(
        gettext("Runs"),
        "instances/overview/runs.html",
        {"runs": shown},
        url=reverse("admin:instances_run_changelist"),
        wide=True,
    )


def _word(run: Any) -> str:
    """Return the pill of a run: a draft says whom it waits for."""
    asked = pill_word(run, run.approval_status, run.glass_unreviewed)
    return asked if asked.startswith("approval_") else str(run.word)


def links_waiting(request: HttpRequest) -> Panel | None:
    """Show the reconnect links that wait for a person."""
    own = ReconnectLink.objects.filter(
        instance__organization__in=organizations_in_view(request)
    )
    open_links = (
        own.usable(timezone.now())
        .select_related("instance")
        .order_by("-made_at", "-pk")
    )
    address = reverse("admin:instances_reconnectlink_changelist")
    return Panel(
        gettext("Reconnect links waiting"),
        "instances/overview/links.html",
        {"links": list(open_links[:_SHOWN])},
        url=f"{address}?use=waiting",
    )


def find(request: HttpRequest, query: str) -> Iterable[Hit]:
    """Find instances by name, id, account, tag or fingerprint, and runs by id."""
    mine = organizations(request.user).order_by("pk").values_list("pk", flat=True)
    pks = find_instances(Question(tuple(mine), search=query.strip()), "", _HITS).pks
    known = Instance.objects.select_related("organization").in_bulk(pks)
    for instance in (known[pk] for pk in pks if pk in known):
        url = reverse("admin:instances_instance_change", args=[instance.pk])
        detail = f"{instance.element_key} · {instance.organization}"
        yield Hit(gettext("Instances"), instance.name, url, detail, instance.status)
    runs = Run.objects.filter(organization__in=organizations(request.user))
    for run in runs.filter(_names_run(query)).order_by("-pk")[:_HITS]:
        yield Hit(
            gettext("Runs"),
            str(run),
            reverse("admin:instances_run_change", args=[run.pk]),
            run.reason,
            run.word,
        )


def _names_run(query: str) -> Q:
    try:
        return Q(ticket=query) | Q(uid=UUID(query.strip()))
    except ValueError:
        return Q(ticket=query)


site.register_badge("runs", drafts_waiting)
site.register_badge("runs", runs_to_answer)
site.register_need(needs)
site.register_overview(now_panel, order=10)
site.register_overview(health_now, order=20)
site.register_overview(provider_outcomes, order=30)
site.register_overview(weekly_revocations, order=40)
site.register_overview(time_to_reconnect, order=50)
site.register_overview(links_waiting, order=60)
site.register_overview(recent_runs, order=70)
site.register_search(find)

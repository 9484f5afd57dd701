"""What needs somebody now, as numbers that lead to exactly the rows they count."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any

from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext

from ceadmin import ui
from ceadmin.frame import organizations_in_view
from ceadmin.lib.days import midnight
from ceadmin.site import Need, Panel
from ceadmin.teams.models import Organization
from instances.admin.overview_charts import address
from instances.admin.when import since_word
from instances.choices import (
    NEEDS_PERSON,
    NOT_WORKING,
    RUN_ACTIVE,
    InstanceStatus,
    Outcome,
    PartStatus,
)
from instances.models import Instance, Item, Part, ReconnectLink, Run
from providers import catalogue
from providers.book import book_of
from providers.models import ProviderApp
from providers.spec import Provider

Organizations = QuerySet[Organization]

#: An outage is seen in so many instances at least, and in every second one of the provider.
_LEAST = 2
#: So many providers are named; the others are behind the number of degraded instances.
_SHOWN = 5


def counts_now(request: HttpRequest) -> Counter[str]:
    """Return status → how many instances are in it: one query, which an index answers, a page."""

    def count() -> QuerySet[Any, Any]:
        own = organizations_in_view(request)
        rows = Instance.objects.filter(organization__in=own).order_by()
        return rows.values_list("status").annotate(count=Count("*"))

    return _once(request, "instances_by_status", count)


def concerns_now(request: HttpRequest) -> Counter[str]:
    """Return outcome → how many items with it are of concern; one query a page."""

    def count() -> QuerySet[Any, Any]:
        own = organizations_in_view(request)
        rows = Item.objects.of_concern().filter(run__organization__in=own).order_by()
        return rows.values_list("outcome").annotate(count=Count("*"))

    return _once(request, "concerns_by_outcome", count)


def _once(
    request: HttpRequest, name: str, count: Callable[[], QuerySet[Any, Any]]
) -> Counter[str]:
    kept = vars(request)
    if name not in kept:
        kept[name] = Counter(dict(count()))
    counts: Counter[str] = kept[name]
    return counts


def now_panel(request: HttpRequest) -> Panel | None:
    """Show what has just become worse, and what is going on."""
    own = organizations_in_view(request)
    alive = _still_alive(concerns_now(request)[Outcome.STILL_ALIVE])
    dead = _not_working(counts_now(request))
    tiles = [_newly_dead(own), dead, alive, *_of_runs(own), _waited_for(own)]
    title = gettext("Right now")
    return Panel(title, "instances/overview/now.html", {"tiles": tiles}, wide=True)


def _tile(label: str, number: int, url: str, tone: str = "") -> dict[str, Any]:
    return {"label": label, "number": number, "url": url, "tone": tone}


def _newly_dead(own: Organizations) -> dict[str, Any]:
    yesterday = timezone.localdate() - timedelta(days=1)
    begin = midnight(yesterday, timezone.get_current_timezone())
    status = InstanceStatus.NEEDS_REAUTH.value
    rows = Instance.objects.filter(
        organization__in=own, status=status, status_since__gte=begin
    )
    url = address("instance", status=status, since=since_word(yesterday))
    label = gettext("Newly dead since yesterday")
    return _tile(label, rows.count(), url, "bad")


def _not_working(counts: Counter[str]) -> dict[str, Any]:
    """Count what its customer cannot use, whoever killed it: a look at it changes nothing."""
    number = sum(counts[status] for status in NEEDS_PERSON)
    url = address("instance", status=NOT_WORKING)
    return _tile(gettext("Do not work"), number, url)


def _still_alive(count: int) -> dict[str, Any]:
    alive = Outcome.STILL_ALIVE.value
    url = address("item", outcome__exact=alive, cleared_at__isnull=True)
    return _tile(gettext("Still alive after revocation"), count, url, "strong")


def _of_runs(own: Organizations) -> Iterable[dict[str, Any]]:
    runs, active = Run.objects.filter(organization__in=own), sorted(RUN_ACTIVE)
    at_work = address("run", status__in=",".join(active))
    working = runs.filter(status__in=active).count()
    yield _tile(gettext("Runs in progress"), working, at_work)
    asked = address("run", approval="waiting")
    waiting = runs.awaiting_approval().count()
    yield _tile(gettext("Waiting for approval"), waiting, asked, "warn")


def _waited_for(own: Organizations) -> dict[str, Any]:
    links = ReconnectLink.objects.filter(instance__organization__in=own)
    usable, url = links.usable(timezone.now()), address("reconnectlink", use="waiting")
    return _tile(gettext("Reconnect links waiting"), usable.count(), url)


# Providers that fail


def failed_apps(request: HttpRequest) -> Iterable[Need]:
    """Yield the provider apps whose credentials were refused when they were last used or tested."""
    apps = ProviderApp.objects.filter(organization__in=organizations_in_view(request))
    for app in apps.exclude(last_problem="").order_by("name")[:_SHOWN]:
        url = reverse("admin:providers_providerapp_change", args=[app.pk])
        words = gettext("The last use or test of provider app %(app)s failed")
        yield Need(words % {"app": app}, url)


def outages(request: HttpRequest) -> Iterable[Need]:
    """Yield the providers whose instances fail together, and those that a run has held."""
    own = organizations_in_view(request)
    yield from _held(own)
    if counts_now(request)[InstanceStatus.DEGRADED] < _LEAST:
        return
    degraded = Instance.objects.filter(
        organization__in=own, status=InstanceStatus.DEGRADED
    )
    rows = degraded.order_by().values_list("provider_key").annotate(count=Count("*"))
    for key, count in rows.order_by("-count")[:_SHOWN]:
        if count >= _LEAST and _most(own, key, count):
            status = InstanceStatus.DEGRADED.value
            url = address("instance", status=status, provider=key)
            told = {
                "provider": _name(catalogue.find(key), key),
                "count": ui.number(count),
            }
            words = gettext("%(provider)s is failing: %(count)s instances are degraded")
            yield Need(words % told, url, count, "warn")


def _most(own: Organizations, key: str, count: int) -> bool:
    """Tell whether `count` is at least half of a provider's instances; never counts further."""
    mine = Instance.objects.filter(organization__in=own, provider_key=key)
    return mine[: 2 * count + 1].count() <= 2 * count


def _held(own: Organizations) -> Iterable[Need]:
    held = Part.objects.filter(
        run__organization__in=own, run__status__in=sorted(RUN_ACTIVE)
    )
    waiting = held.filter(status=PartStatus.HELD).select_related("run__organization")
    for part in waiting.order_by("-pk")[:_SHOWN]:
        url = reverse("admin:instances_run_change", args=[part.run_id])
        known = book_of(part.run.organization).find(part.provider_key)
        name = _name(known, part.provider_key)
        words = gettext("%(provider)s is held in a run: decide how it goes on")
        yield Need(words % {"provider": name}, url)


def _name(known: Provider | None, key: str) -> str:
    return known.name if known else key or gettext("An unknown provider")

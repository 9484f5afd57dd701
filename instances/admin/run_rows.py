"""What of a run's items is shown: counts, reasons and the first rows, each by a bounded look into an index."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from django.db.models import QuerySet
from django.urls import reverse
from django.utils.translation import gettext

from ceadmin import ui
from instances import runs
from instances.actions.causes import sentence
from instances.admin import words
from instances.admin.drafted import instances_url
from instances.choices import (
    MEANINGS,
    ItemStatus,
    Outcome,
    RunKind,
    RunStatus,
    Weight,
    meaning,
)
from instances.models import Item, Run
from instances.spoken import spoken
from providers.book import book_of

#: The poll brings these rows again and again, so they are few; a list shows all.
SHOWN = 20
_CAUSES = 5
_PROVIDERS = 8
#: Of what is under way a few are enough: the rows change every moment.
_UNDER_WAY = 10
#: So many items of one reason are read to see whether one sentence is true of all.
_READ = 20

#: The outcomes that stand first in a run's list.
ATTENTION = frozenset(
    pair for pair, told in MEANINGS.items() if told.weight == Weight.ATTENTION
)
#: And of these the ones that are still dangerous before the others.
_WORST = (Outcome.STILL_ALIVE, Outcome.REFUSED, Outcome.UNCLEAR)


def bad_outcomes(run: Run) -> list[Outcome]:
    """Return the outcomes of a run's kind that need attention, the worst first."""
    kind = RunKind(run.kind)
    bad = [outcome for outcome in Outcome if (kind, outcome) in ATTENTION]
    return sorted(bad, key=lambda one: one not in _WORST)


def outcomes(run: Run, counts: runs.Progress) -> list[tuple[str, int, str]]:
    """Return outcome, count and the address of exactly these rows, those that need attention first."""
    listing = f"{reverse('admin:instances_item_changelist')}?run__id__exact={run.pk}"
    first = sorted(
        counts.outcomes,
        key=lambda one: ((RunKind(run.kind), Outcome(one)) not in ATTENTION, one),
    )
    # What a sync left as it was has no rows, and what was removed has none any more.
    rowless = first if run.items_removed_at else [Outcome.UNCHANGED]
    told = [
        (
            one,
            counts.outcomes[one],
            "" if one in rowless else f"{listing}&outcome__exact={one}",
        )
        for one in first
    ]
    if counts.waiting:
        told.append(("waiting", counts.waiting, f"{listing}&status__exact=waiting"))
    return told


@dataclass(frozen=True, slots=True)
class Share:
    """One provider's items of a run: how many of them have ended, how fast, and where they are."""

    name: str
    done: int
    total: int
    url: str
    pace: str  # "12/s · about 2 minutes left", or why nothing moves


def providers(
    run: Run,
    counts: runs.Progress,
    paces: Mapping[str, runs.Pace],
    standing: Mapping[str, str],
) -> list[Share]:
    """Return the largest providers of a run that has several, the largest first.

    `standing` says of providers that are not simply worked what they wait for.
    """
    single = len(counts.providers) < 2 or run.kind == RunKind.SYNC
    if single or run.status == RunStatus.EXPIRED:
        return []
    largest = sorted(counts.providers.items(), key=lambda one: (-one[1][1], one[0]))
    listing = f"{reverse('admin:instances_item_changelist')}?run__id__exact={run.pk}"
    rows, book = largest[:_PROVIDERS], book_of(run.organization)
    return [
        Share(
            book.name_of(key),
            done - counts.dropped.get(key, 0) if run.is_terminal else done,
            total,
            "" if run.items_removed_at else f"{listing}&provider_key__exact={key}",
            _moves(run, done == total, paces.get(key), standing.get(key, "")),
        )
        for key, (done, total) in rows
    ]


def _moves(run: Run, over: bool, pace: runs.Pace | None, stands: str) -> str:
    """Return how fast a provider's part is and how long it takes still, or what it waits for."""
    if run.is_terminal:
        return ""
    if over or stands:
        return gettext("done") if over else stands
    if run.status == RunStatus.PAUSED:
        return gettext("paused")
    if pace is None or pace.rate is None:
        return ""
    return " · ".join(filter(None, (ui.per_second(pace.rate), pace.words)))


@dataclass(frozen=True, slots=True)
class Reason:
    """Why some items of a run need attention: how many, in words, and where they are."""

    count: int
    text: str
    cause: str
    url: str  # of the items
    instances: (
        str  # the address of their instances, where something can be done with them
    )


def reasons(run: Run, counts: runs.Progress) -> list[Reason]:
    """Return why items need attention, the commonest reason first."""
    return [_reason(run, trouble) for trouble in counts.troubles[:_CAUSES]]


def _reason(run: Run, trouble: runs.Trouble) -> Reason:
    outcome, cause = trouble.outcome, trouble.cause
    told = (
        _same_words(run, trouble)
        or sentence(cause)
        or meaning(run.kind, outcome).sentence
    )
    listing = reverse("admin:instances_item_changelist")
    query = f"?run__id__exact={run.pk}&outcome__exact={outcome}&cause__exact={cause}"
    url = "" if run.items_removed_at else listing + query
    instances = "" if run.items_removed_at else instances_url(run, outcome, cause)
    return Reason(trouble.count, spoken(str(told)), cause, url, instances)


def _same_words(run: Run, trouble: runs.Trouble) -> str:
    """Return the explanation that these items share, as far as a few of them tell; "" for several."""
    own = Item.objects.filter(run=run, status=ItemStatus.DONE, outcome=trouble.outcome)
    own = own.filter(cause=trouble.cause)
    read: set[str] = set()
    for key in trouble.providers[:2]:
        some = own.filter(provider_key=key).values_list("explanation", flat=True)
        read.update(some[:_READ])
    return read.pop() if len(read) == 1 else ""


def items(run: Run, counts: runs.Progress, *, linked: bool) -> list[tuple[Item, str]]:
    """Return the items that matter first: what needs attention, what is under way, the newest.

    What waits in a reconnection stands in the list of links already (`linked`).
    """
    rows: list[Item] = []
    if run.status == RunStatus.EXPIRED:
        return []  # never started: nothing became of any
    for group, most in _groups(run, counts, linked=linked):
        room = min(most, SHOWN - len(rows))
        if room <= 0:
            continue
        rows += group.select_related("instance", "run")[:room]
    return [(item, spoken(words.why(item))) for item in rows]


def _groups(
    run: Run, counts: runs.Progress, *, linked: bool
) -> Iterator[tuple[QuerySet[Item], int]]:
    """Yield rows in the order in which they matter, each group as an index has it, and how many of it at most."""
    own = Item.objects.filter(run=run)
    ended = own.filter(status=ItemStatus.DONE)
    bad = bad_outcomes(run)
    for outcome in bad:
        if counts.outcomes.get(outcome):
            alike = ended.filter(outcome=outcome)
            yield alike.order_by("provider_key", "cause"), SHOWN
    if not (linked and run.kind == RunKind.RECONNECT):
        yield _in_index_order(own.filter(status=ItemStatus.WAITING)), SHOWN
    yield _in_index_order(own.filter(status=ItemStatus.RUNNING)), _UNDER_WAY
    newest = ended.order_by("-finished_at").values_list("pk", flat=True)[: 2 * SHOWN]
    good = ended.filter(pk__in=list(newest)).exclude(outcome__in=bad)
    yield good.order_by("-finished_at", "number"), SHOWN
    yield _in_index_order(own.filter(status=ItemStatus.QUEUED)), SHOWN


def _in_index_order(rows: QuerySet[Item]) -> QuerySet[Item]:
    return rows.order_by("outcome", "provider_key", "cause")

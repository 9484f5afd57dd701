"""Thins out what piles up: calls, items, links, flips, sessions. Never the audit, never a run.

Rows go in small batches, each in a transaction of its own, so that workers and pages wait
for none of it, and a crash between two batches loses nothing. Whoever thins out a run holds
its row meanwhile: two at once take different runs. What somebody still has to look at
stays, however old it is: open concerns with their calls, and items that a link refers to.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import Exists, Max, Min, OuterRef, Q, QuerySet

from instances.bringing import LIST_KEPT_FOR
from instances.choices import DESTRUCTIVE, LINK_OPEN, STICKY, LinkStatus
from instances.models import (
    Attempt,
    BroughtList,
    Chunk,
    Flip,
    GrantClaim,
    Hold,
    Item,
    Part,
    ReconnectLink,
    Run,
)

#: Rows of one table that one transaction removes at most.
BATCH = 1000
#: Items that go in one transaction together with their calls, a handful of calls each.
ITEMS_AT_ONCE = 250
#: One sweep ends after so many rows or seconds; the next one goes on.
ROWS_A_SWEEP = 20_000
SECONDS_A_SWEEP = 5.0
#: A hold ends within a lease; one that ended a day ago has been forgotten.
_FORGOTTEN = timedelta(days=1)

_CLOSED = sorted(frozenset(LinkStatus) - LINK_OPEN - {LinkStatus.CONSENTED})


def thin_out(*, now: datetime, rows: int = ROWS_A_SWEEP) -> int:
    """Remove what is older than its setting until about `rows` rows went; return how many did."""
    end, removed = time.monotonic() + SECONDS_A_SWEEP, 0
    for batch in _batches(now):
        removed += batch
        if removed >= rows or time.monotonic() > end:
            break
    return removed


def _batches(now: datetime) -> Iterator[int]:
    """Remove a batch whenever one is asked for, and say how many rows it had."""
    if before := _before(now, settings.RETAIN_LINKS_DAYS):
        yield from _all(_closed_links(before))
    if before := _before(now, settings.RETAIN_ATTEMPTS_DAYS):
        for pk in list(_runs_with_calls(before)):
            yield from _calls(pk, now)
    if before := _before(now, settings.RETAIN_ITEMS_DAYS):
        for pk in list(_runs_with_items(before)):
            yield from _items(pk, now)
    if before := _before(now, settings.RETAIN_FLIPS_DAYS):
        yield from _flips(before)
    yield from _all(Hold.objects.filter(until__lt=now - _FORGOTTEN))
    yield from _all(BroughtList.objects.filter(made_at__lt=now - LIST_KEPT_FOR))
    yield from _all(Session.objects.filter(expire_date__lt=now))


def _before(now: datetime, kept: timedelta | None) -> datetime | None:
    return None if kept is None else now - kept


def _all(rows: QuerySet[Any]) -> Iterator[int]:
    while removed := _remove(rows):
        yield removed


def _remove(rows: QuerySet[Any]) -> int:
    """Remove a batch of `rows` that nobody else removes just now; return how many."""
    with transaction.atomic():
        free = rows.select_for_update(skip_locked=True, of=("self",))
        pks = list(free.values_list("pk", flat=True)[:BATCH])
        if pks:
            rows.model._default_manager.filter(pk__in=pks).delete()
    return len(pks)


def _closed_links(before: datetime) -> QuerySet[ReconnectLink]:
    """Links nobody can use any more, unless their run still goes on."""
    ended = Q(item__isnull=True) | Q(item__run__finished_at__isnull=False)
    old = ReconnectLink.objects.filter(status__in=_CLOSED, expires_at__lt=before)
    return old.filter(ended).order_by("expires_at")


def _flips(before: datetime) -> Iterator[int]:
    """Remove old flips from the first on; they stand in the order in which they came."""
    while True:
        first = list(Flip.objects.order_by("pk").values_list("pk", "at")[:BATCH])
        old = [pk for pk, at in first if at < before]
        if not old:
            return
        removed = _remove(Flip.objects.filter(pk__in=old))
        if not removed:
            return  # another sweep has them
        yield removed


# Runs


def _ended(before: datetime) -> QuerySet[Run]:
    ended = Run.objects.filter(emptied=False, finished_at__lt=before)
    return ended.order_by("finished_at", "pk")


def _runs_with_calls(before: datetime) -> QuerySet[Run, int]:
    whole = _ended(before).filter(attempts_removed_at__isnull=True)
    return whole.values_list("pk", flat=True)


def _runs_with_items(before: datetime) -> QuerySet[Run, int]:
    """Ended runs from which something can go: one with open concerns only is left alone."""
    own = Item.objects.filter(run=OuterRef("pk"))
    kept = Q(run__kind__in=sorted(DESTRUCTIVE)) & _concern()
    linked = ReconnectLink.objects.filter(item=OuterRef("pk"))
    free = Exists(own.exclude(kept).exclude(Exists(linked)))
    rest = Exists(Chunk.objects.filter(run=OuterRef("pk")))
    begun = Q(items_removed_at__isnull=False)
    return (
        _ended(before)
        .filter(~begun | free | rest | ~Exists(own))
        .values_list("pk", flat=True)
    )


def _concern(prefix: str = "") -> Q:
    return Q(
        **{
            f"{prefix}outcome__in": sorted(STICKY),
            f"{prefix}cleared_at__isnull": True,
        }
    )


def _hold(pk: int) -> Run | None:
    """Return the run, kept from other sweeps for the caller's transaction; None when one has it."""
    free = Run.objects.select_for_update(skip_locked=True, no_key=True)
    return free.filter(pk=pk).first()


def _calls(pk: int, now: datetime) -> Iterator[int]:
    """Remove the calls of a run, batch by batch; those of open concerns are evidence."""
    span = Item.objects.filter(run_id=pk).aggregate(low=Min("pk"), high=Max("pk"))
    while removed := _remove_calls(pk, (span["low"] or 0, span["high"] or 0), now):
        yield removed


def _remove_calls(pk: int, span: tuple[int, int], now: datetime) -> int:
    with transaction.atomic():
        run = _hold(pk)
        if run is None:
            return 0
        # The span lets the index on the item lead to the first call that is left.
        calls = Attempt.objects.filter(
            item__gte=span[0], item__lte=span[1], item__run=run
        )
        if run.kind in DESTRUCTIVE:
            calls = calls.exclude(_concern("item__"))
        removed = _remove(calls.order_by("item_id"))
        if not removed and run.attempts_removed_at is None:
            Run.objects.filter(pk=pk).update(attempts_removed_at=now)
        return removed


def _items(pk: int, now: datetime) -> Iterator[int]:
    """Remove the items of a run, batch by batch, then what helped to work them."""
    after, removed = 0, 1
    while removed:
        removed, after = _remove_items(pk, after, now)
        yield removed


def _remove_items(pk: int, after: int, now: datetime) -> tuple[int, int]:
    """Remove the first items behind number `after`; return how many rows went, and the last number."""
    with transaction.atomic():
        run = _hold(pk)
        if run is None:
            return 0, after
        if run.items_removed_at is None:
            _keep_counts(run, now)
        rows = _free_items(run).filter(number__gt=after).order_by("number")
        numbers = dict(rows.values_list("pk", "number")[:ITEMS_AT_ONCE])
        if not numbers:
            return _remove_rest(run), after
        calls = _remove(Attempt.objects.filter(item__in=numbers))
        if calls == BATCH:
            return calls, after  # there may be more
        Item.objects.filter(pk__in=numbers).delete()
        return calls + len(numbers), max(numbers.values())


def _keep_counts(run: Run, now: datetime) -> None:
    """Write down what the items add up to, with the first of them that goes."""
    counts = Item.objects.filter(run=run).tally()
    Run.objects.filter(pk=run.pk).update(tallies=counts, items_removed_at=now)


def _free_items(run: Run) -> QuerySet[Item]:
    linked = ReconnectLink.objects.filter(item=OuterRef("pk"))
    free = Item.objects.filter(~Exists(linked), run=run)
    return free.exclude(_concern()) if run.kind in DESTRUCTIVE else free


def _remove_rest(run: Run) -> int:
    """Remove a batch of what helped to work a run; with the last row the run is empty."""
    helpers: tuple[QuerySet[Any], ...] = (
        GrantClaim.objects.filter(run=run),
        Part.objects.filter(run=run),
        Chunk.objects.filter(run=run),
    )
    for rows in helpers:
        if removed := _remove(rows):
            return removed
    if not Item.objects.filter(run=run).exists():
        Run.objects.filter(pk=run.pk).update(emptied=True)
    return 0

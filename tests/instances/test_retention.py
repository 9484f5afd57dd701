"""What piles up is thinned out, and never what somebody still has to look at."""

from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session

from ceadmin.audit.models import Event
from instances import runs
from instances.choices import ItemStatus, RunKind, RunStatus
from instances.models import (
    Chunk,
    Flip,
    GrantClaim,
    Hold,
    Instance,
    Item,
    Part,
    ReconnectLink,
    Run,
)
from tests.instances.aged import CALLS, ITEMS, NOW, left, old, thin
from tests.instances.crowds import make_instances

__all__ = ["old"]


def test_nothing_young_goes(old):
    run = old(ago=timedelta(days=89))

    assert thin() == 0
    assert left(run) == (3, 6)


def test_calls_go_first_and_the_run_says_when(old):
    run = old(ago=CALLS)

    assert thin() == 6

    run.refresh_from_db()
    assert left(run) == (3, 0)
    assert (run.attempts_removed_at, run.items_removed_at) == (NOW, None)


def test_a_run_keeps_its_counts_after_its_items_went(old):
    run = old()
    before = runs.progress(run)

    thin()

    run.refresh_from_db()
    assert left(run) == (0, 0)
    assert not Chunk.objects.filter(run=run).exists()
    assert run.items_removed_at == NOW
    assert run.emptied
    assert runs.progress(run) == before
    assert runs.progress(run).causes == {"invalid_grant": 1}
    assert runs.exit_code(run) == 1


def test_what_helped_to_work_a_run_goes_with_its_items(old):
    run = old()
    GrantClaim.objects.create(run=run, fingerprint="f", item_id=1)
    Part.objects.create(run=run, provider_key="box", total=3)

    thin()

    assert not GrantClaim.objects.exists()
    assert not Part.objects.exists()


@pytest.mark.parametrize("status", [RunStatus.RUNNING, RunStatus.PAUSED])
def test_a_run_that_still_goes_on_keeps_everything(old, status):
    run = old(status=status, finished_at=None)

    assert thin() == 0
    assert left(run) == (3, 6)


def test_a_draft_that_expired_is_emptied_too(old):
    run = old(status=RunStatus.EXPIRED)
    run.items.update(status=ItemStatus.QUEUED, outcome="", finished_at=None)

    thin()

    assert left(run) == (0, 0)


def concern(run: Run) -> Item:
    run.items.filter(number=2).update(outcome="still_alive", cleared_at=None)
    return run.items.get(number=2)


def test_an_open_concern_stays_with_its_calls(old):
    run = old(kind=RunKind.REVOKE)
    item = concern(run)

    thin()

    run.refresh_from_db()
    assert left(run) == (1, 2)
    assert list(run.items.all()) == [item]
    assert Item.objects.of_concern().get() == item
    assert not run.emptied
    assert thin() == 0


def test_a_concern_that_was_cleared_goes_at_the_next_sweep(old):
    run = old(kind=RunKind.REVOKE)
    concern(run)
    thin()

    run.items.update(cleared_at=NOW)
    thin()

    run.refresh_from_db()
    assert left(run) == (0, 0)
    assert run.emptied
    assert sum(runs.progress(run).outcomes.values()) == 3


def link(team, run: Run | None, *, status: str, ago: timedelta) -> ReconnectLink:
    if not Instance.objects.exists():
        make_instances(team.acme, 1)
    return ReconnectLink.objects.create(
        instance=Instance.objects.first(),
        item=run.items.first() if run else None,
        token_hash=f"{ReconnectLink.objects.count():064d}",
        status=status,
        made_at=NOW - ago,
        expires_at=NOW - ago,
    )


def test_an_item_that_a_link_refers_to_stays(old, team):
    run = old()
    kept = link(team, run, status="finished", ago=timedelta(days=30))

    thin()
    assert left(run) == (1, 0)

    kept.delete()
    thin()
    run.refresh_from_db()
    assert run.emptied


def test_closed_links_go_and_open_ones_stay(team, db):
    for status in ("finished", "expired", "cancelled", "wrong_account"):
        link(team, None, status=status, ago=ITEMS)
    kept = [
        link(team, None, status="made", ago=ITEMS),
        link(team, None, status="consented", ago=ITEMS),
        link(team, None, status="finished", ago=timedelta(days=364)),
    ]

    assert thin() == 4
    assert list(ReconnectLink.objects.order_by("pk")) == kept


def test_a_link_of_a_run_that_goes_on_stays(old, team):
    run = old(status=RunStatus.RUNNING, finished_at=None)
    link(team, run, status="expired", ago=ITEMS)

    assert thin() == 0


def test_old_flips_forgotten_holds_and_ended_sessions_go(team, db):
    make_instances(team.acme, 3)
    first, second, third = Instance.objects.order_by("pk")
    for instance, ago in ((first, ITEMS), (second, ITEMS), (third, CALLS)):
        Flip.objects.create(
            instance=instance,
            from_status="connected",
            to_status="degraded",
            at=NOW - ago,
        )
    Hold.objects.create(instance=first, item_id=1, until=NOW - timedelta(days=2))
    Hold.objects.create(instance=second, item_id=2, until=NOW - timedelta(hours=2))
    for name, days in (("a", -1), ("b", 1)):
        end = NOW + timedelta(days=days)
        Session.objects.create(session_key=name, session_data="", expire_date=end)

    assert thin() == 4
    assert [flip.instance for flip in Flip.objects.all()] == [third]
    assert Hold.objects.get().instance == second
    assert Session.objects.get().session_key == "b"


def test_forever_is_for_ever(old, settings):
    settings.RETAIN_ATTEMPTS_DAYS = settings.RETAIN_ITEMS_DAYS = None
    settings.RETAIN_LINKS_DAYS = settings.RETAIN_FLIPS_DAYS = None
    run = old(ago=timedelta(days=10_000))

    assert thin() == 0
    assert left(run) == (3, 6)


def test_a_draft_lives_as_long_as_the_setting_says(old, settings):
    run = old(status=RunStatus.DRAFT, finished_at=None, ago=timedelta(days=8))
    settings.DRAFT_DAYS = None
    runs.sweep(now=NOW)
    run.refresh_from_db()
    assert run.status == RunStatus.DRAFT

    settings.DRAFT_DAYS = timedelta(days=7)
    runs.sweep(now=NOW)
    run.refresh_from_db()
    assert run.status == RunStatus.EXPIRED


def test_the_audit_is_never_touched(old, team):
    run = old(status=RunStatus.DRAFT, kind=RunKind.REVOKE, finished_at=None)
    runs.sweep(now=NOW - timedelta(days=355))
    Run.objects.filter(pk=run.pk).update(finished_at=NOW - ITEMS)
    told = list(Event.objects.order_by("pk").values())
    assert told

    thin()

    assert left(run) == (0, 0)
    assert list(Event.objects.order_by("pk").values()) == told

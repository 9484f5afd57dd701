"""Runs keep to limits and to what servers say: items wait, none ends for it, and none counts as tried."""

import threading
import time
from datetime import datetime, timedelta

import pytest
from django.db import connections
from django.urls import reverse
from django.utils import timezone

from ceadmin.lib import broker as broker_client
from ceadmin.lib.ratelimit import Limiter
from instances import runs
from instances.choices import ChunkStatus, ItemStatus, Outcome, RunKind, RunStatus
from instances.engine import stock as stocks
from instances.models import Hold, Run
from providers.models import Limit
from tests.instances.fleet import only_item
from tests.instances.killing import assert_sound, fleet, revocations
from tests.lib.counting import busiest_second
from tests.services import forget_limits, wait_until

__all__ = ["fleet"]

LONG = 3600
BOX = "host:api.box.com"


@pytest.fixture
def unhurried(broker):
    """Limits are kept in a real broker."""
    forget_limits()


def begun(fleet, kind=RunKind.REVOKE) -> Run:
    """Return a started run, not worked yet."""
    run = fleet.draft(kind)
    if run.status == RunStatus.DRAFT:
        runs.start(run, user=fleet.user, now=timezone.now(), reason="a test")
    run.refresh_from_db()
    return run


def limit(fleet, **values) -> Limit:
    return Limit.objects.create(organization=fleet.organization, **values)


def later(fleet, path, retry_after, **more):
    fleet.fault(
        "status", path, **{"status": 429, "retry_after": retry_after, "times": 0} | more
    )


def quiet_again(fleet, run) -> Run:
    """Let the time of all pauses pass, and work on."""
    forget_limits()
    fleet.emulator.control("faults", method="DELETE")
    run.chunks.update(not_before=None)
    return fleet.work(run)


def left_alone_for(run, provider="box") -> float:
    """Return the seconds before which no chunk of a provider is worked."""
    moments = run.chunks.filter(provider_key=provider).values_list(
        "not_before", flat=True
    )
    return min((one - timezone.now()).total_seconds() for one in moments)


def moments(fleet) -> list[float]:
    return [
        datetime.fromisoformat(row["at"]).timestamp() for row in fleet.emulator.log()
    ]


# Retry-After


@pytest.mark.parametrize("asked", [LONG, f"date:{LONG}"])
@pytest.mark.parametrize("path", ["*revoke", "/2.0/users/me"])
def test_a_long_pause_of_one_host_ends_no_item_and_holds_up_no_other_host(
    fleet, unhurried, asked, path
):
    fleet.synced("box", 3)
    fleet.synced("salesforce", 3)
    later(fleet, path, asked, match={"host": "api.box.com", "path": path})
    run = begun(fleet)

    fleet.work(run)

    assert run.status == RunStatus.RUNNING
    ended = run.items.filter(status=ItemStatus.DONE)
    assert set(ended.values_list("provider_key", "outcome")) == {
        ("salesforce", Outcome.VERIFIED_DEAD)
    }
    assert ended.count() == 3
    assert LONG - 60 < left_alone_for(run) <= LONG
    assert not Hold.objects.exists()

    assert_sound(quiet_again(fleet, run))
    assert set(run.items.values_list("outcome", flat=True)) == {Outcome.VERIFIED_DEAD}
    assert len(revocations(fleet, "revoked")) == 6


def test_the_page_of_a_run_says_who_is_left_alone_and_for_how_long(
    fleet, unhurried, client
):
    fleet.synced("box", 3)
    fleet.synced("salesforce", 3)
    later(fleet, "*revoke", LONG, match={"host": "api.box.com", "path": "*revoke"})
    run = begun(fleet)
    fleet.work(run)
    client.force_login(fleet.user)
    broker_client.worker_lives("one")

    told = client.get(reverse("admin:instances_run_live", args=[run.pk])).json()
    page = client.get(reverse("admin:instances_run_change", args=[run.pk]))

    words = (
        "Left alone for now, as a server asked: Box. Goes on by itself in about 60 min"
    )
    assert words in told["parts"]
    assert words in page.content.decode()
    assert told["eta"] == "goes on by itself in about 60 minutes"
    assert runs.as_json(run, timezone.now())["seconds_left"] is None
    quiet_again(fleet, run)
    told = client.get(reverse("admin:instances_run_live", args=[run.pk])).json()
    assert "Left alone" not in told["parts"]


def test_a_pause_of_several_providers_is_one_line(fleet, unhurried, client):
    fleet.synced("box", 1)
    fleet.synced("salesforce", 1)
    run = begun(fleet)
    run.chunks.update(not_before=timezone.now() + timedelta(hours=1))
    client.force_login(fleet.user)

    told = client.get(reverse("admin:instances_run_live", args=[run.pk])).json()

    assert told["parts"].count("Left alone for now") == 1
    assert "as a server asked: Box, Salesforce. Goes on" in told["parts"]


def test_what_goes_on_beside_a_pause_has_its_own_time_left(fleet, unhurried):
    fleet.synced("box", 3)
    fleet.synced("salesforce", 3)
    later(fleet, "*revoke", LONG, match={"host": "api.box.com", "path": "*revoke"})
    run = begun(fleet)
    fleet.work(run)
    run.items.filter(provider_key="salesforce").update(
        status=ItemStatus.QUEUED, outcome="", finished_at=None
    )
    run.chunks.filter(provider_key="salesforce").update(status=ChunkStatus.QUEUED)

    speed = runs.pace(run, runs.progress(run), timezone.now())

    assert set(runs.resting(run, timezone.now())) == {"box"}
    assert speed.rest is None


def test_what_has_sent_nothing_is_not_tried_and_what_has_is_looked_at_first(
    fleet, unhurried
):
    fleet.synced("box", 1)
    later(fleet, "*revoke", LONG)
    run = begun(fleet)
    fleet.work(run)

    item = only_item(run)
    assert (item.status, item.tries) == (ItemStatus.QUEUED, 1)

    sent = len(fleet.emulator.log())
    assert_sound(quiet_again(fleet, run))
    paths = [row["path"] for row in fleet.emulator.log()[sent:]]
    assert paths.index("/2.0/users/me") < paths.index("/oauth2/revoke")


def test_everyone_knows_of_a_pause_before_the_first_call(fleet, unhurried):
    fleet.synced("box", 2)
    Limiter("another worker").pause(BOX, LONG)
    run = begun(fleet)

    fleet.work(run)

    assert revocations(fleet) == []
    assert set(run.items.values_list("status", "tries")) == {(ItemStatus.QUEUED, 0)}
    calls = [row for row in fleet.emulator.log() if row["side"] == "provider"]
    assert calls == []


def test_a_pause_of_the_platform_ends_no_probe(fleet, unhurried):
    fleet.synced("box", 5)
    later(fleet, "/ping", LONG)
    run = begun(fleet, RunKind.PROBE)

    fleet.work(run)

    assert run.status == RunStatus.RUNNING
    assert set(run.items.values_list("status", "tries")) == {(ItemStatus.QUEUED, 0)}
    before = len(fleet.emulator.log())
    run.chunks.update(not_before=None)
    fleet.work(run)
    assert len(fleet.emulator.log()) == before
    assert quiet_again(fleet, run).status == RunStatus.FINISHED


def test_a_short_pause_is_waited_for(fleet, unhurried):
    fleet.synced("box", 2)
    later(fleet, "*revoke", 1, times=1)

    run = fleet.run(RunKind.REVOKE)

    assert_sound(run)
    assert set(run.items.values_list("tries", flat=True)) == {1}


def test_a_host_that_says_429_alone_is_slowed_down_for_everyone(fleet, unhurried):
    fleet.synced("box", 1)
    later(fleet, "*revoke", None, times=1)

    run = fleet.run(RunKind.REVOKE)

    assert_sound(run)
    assert 3 < Limiter("another worker").look([BOX])[BOX].rate < 40


# Limits


@pytest.mark.parametrize("broken", [False, True])
def test_a_rate_is_kept_and_used(fleet, broker, settings, tmp_path, broken):
    settings.WORKER_PROCESSES = 1
    if broken:
        settings.REDIS_URL = f"unix://{tmp_path}/nobody.sock"
    fleet.synced("box", 45)
    forget_limits()
    limit(fleet, scope="platform", rate=15)
    before = len(fleet.emulator.log())

    run = fleet.run(RunKind.PROBE)

    seen = moments(fleet)[before:]
    assert run.status == RunStatus.FINISHED
    assert busiest_second(seen) <= 15 * 1.1 + 1
    assert (len(seen) - 1) / (seen[-1] - seen[0]) >= 15 * 0.8


def test_calls_at_once_are_kept(fleet, unhurried):
    fleet.synced("box", 9)
    limit(fleet, scope="provider", provider_key="box", concurrency=3)
    fleet.fault("latency", "/2.0/users/me", times=0, seconds=0.2)
    began = time.monotonic()

    run = fleet.run(RunKind.REVOKE)

    assert_sound(run)
    assert time.monotonic() - began >= 9 * 2 * 0.2 / 3
    assert Limiter("another").slots(BOX, 3, 3).held == 3


def test_an_app_has_a_limit_of_its_own(fleet, unhurried):
    fleet.synced("box", 4)
    limit(fleet, scope="app", provider_app=fleet.apps["box"], rate=10)
    before = time.monotonic()

    run = fleet.run(RunKind.REVOKE)

    assert_sound(run)
    assert time.monotonic() - before >= (4 * 3 - 2) / 10


def test_no_more_is_claimed_than_can_be_worked(fleet, unhurried, monkeypatch):
    fleet.synced("box", 40)
    limit(fleet, scope="platform", rate=5)
    run = begun(fleet, RunKind.PROBE)
    claimed = []
    real = stocks.claim

    def claim(*args):
        got = real(*args)
        claimed.append(len(got[1]) if got else 0)
        return got

    monkeypatch.setattr(stocks, "claim", claim)

    runs.work(run.pk, worker="test", seconds=2.0)

    assert 0 < max(claimed) <= 5 * 2 + 1
    left = run.items.exclude(status=ItemStatus.DONE)
    assert set(left.values_list("status", "tries")) == {(ItemStatus.QUEUED, 0)}
    assert left_alone_for_nothing(run)


def left_alone_for_nothing(run) -> bool:
    """Tell whether the rest can be worked at once."""
    return run.chunks.claimable().filter(status="queued").exists()


@pytest.mark.django_db(transaction=True)
def test_a_pause_of_a_slow_run_takes_effect_within_seconds(fleet, broker):
    forget_limits()
    fleet.synced("box", 40)
    limit(fleet, scope="provider", provider_key="box", rate=3)
    run = begun(fleet)
    worker = threading.Thread(target=_work, args=(run,))
    worker.start()
    wait_until(lambda: run.items.filter(status="done").count() >= 2, 20, "two ends")

    runs.pause(run, user=fleet.user, now=timezone.now())
    asked = time.monotonic()
    worker.join(30)

    took = time.monotonic() - asked
    run.refresh_from_db()
    assert run.status == RunStatus.PAUSED
    assert not run.items.filter(status=ItemStatus.RUNNING).exists()
    left = run.items.filter(status=ItemStatus.QUEUED)
    assert set(left.values_list("tries", flat=True)) == {0}
    done = run.items.filter(status=ItemStatus.DONE)
    assert left.count() + done.count() == 40
    assert set(done.values_list("outcome", flat=True)) == {Outcome.VERIFIED_DEAD}
    # What had been sent is seen dead first: those few have a call or two to make.
    assert took < 8
    assert not Hold.objects.exists()


def _work(run) -> None:
    try:
        runs.work(run.pk, worker="slow", seconds=60)
    finally:
        connections.close_all()


def test_a_limit_of_zero_is_refused_by_the_database_too(fleet):
    from django.db import IntegrityError, transaction  # noqa: PLC0415

    for values in ({"rate": 0}, {"concurrency": 0}, {"rate": -1}, {}):
        with pytest.raises(IntegrityError), transaction.atomic():
            limit(fleet, scope="platform", **values)


def test_an_instance_with_a_limit_is_worked_after_the_time_box_by_the_next(
    fleet, unhurried
):
    fleet.synced("box", 12)
    limit(fleet, scope="platform", rate=5)
    run = begun(fleet, RunKind.PROBE)

    for _ in range(20):
        runs.work(run.pk, worker="test", seconds=0.5)
        run.refresh_from_db()

    assert run.status == RunStatus.FINISHED
    assert set(run.items.values_list("outcome", "tries")) == {("connected", 1)}
    assert run.finished_at - run.started_at > timedelta(seconds=1.5)

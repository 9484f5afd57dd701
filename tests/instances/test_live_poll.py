"""What a run's open page asks for again and again: small, and of each provider how fast it goes."""

import re
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.urls import reverse
from django.utils import timezone

from instances import reconnect
from instances.choices import (
    AttemptState,
    ItemStatus,
    PartStatus,
    RunKind,
    RunStatus,
)
from instances.models import Attempt, Instance, Item, Part, Run
from tests.instances.crowds import end_items, make_instances, make_run

#: A poll's answer is smaller than this, in bytes.
MOST = 20_000
LONG = "Λόγος שלום עולם – أهلا 🦊👩‍👩‍👧‍👦 " * 9


@pytest.fixture(autouse=True)
def fresh():
    """Forget what was counted of other tests' runs."""
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def rita(client, team):
    client.force_login(team.rita)
    return client


@pytest.fixture
def long_ago(team):
    """A run of 1,000 that began an hour ago."""
    return make_run(team.acme, 1_000, started_at=timezone.now() - timedelta(hours=1))


def poll(client, run):
    return client.get(reverse("admin:instances_run_live", args=[run.pk]))


def page(client, run):
    return client.get(reverse("admin:instances_run_change", args=[run.pk]))


# How much


def test_a_poll_stays_small_whatever_the_rows_say(rita, long_ago):
    end_items(long_ago, share=0.6)
    plain = poll(rita, long_ago)
    ends = {
        "explanation": LONG[:300] + "<&>" * 60,
        "outcome": "dead",
        "cause": "x" * 64,
    }
    own = Item.objects.filter(run=long_ago)
    own.update(instance_name=LONG[:255])
    own.filter(status=ItemStatus.DONE).update(**ends)

    full = poll(rita, long_ago)

    assert len(plain.content) < MOST
    assert len(full.content) < MOST
    assert 'class="list cards"' in full.json()["items"]
    assert f"All {1_000:,} items" in full.json()["items"]


def test_a_poll_of_many_links_stays_small(rita, team):
    run = make_run(team.acme, 40, kind=RunKind.RECONNECT, requested_by=team.rita)
    make_instances(team.acme, 40)
    Instance.objects.update(name=LONG[:255])
    Item.objects.filter(run=run).update(status=ItemStatus.WAITING)
    items = Item.objects.filter(run=run).select_related("run").order_by("number")
    for item, instance in zip(items, Instance.objects.order_by("pk"), strict=True):
        reconnect.make_link(instance, item=item, user=team.rita, now=timezone.now())

    told = poll(rita, run)

    assert len(told.content) < MOST
    assert told.json()["links"].count("/reconnect/") > 5


def test_a_poll_of_a_drill_with_long_addresses_stays_small(rita, team):
    run = make_run(team.acme, 1, kind=RunKind.DRILL, reason="a test")
    item = run.items.get()
    Attempt.objects.bulk_create(
        Attempt(
            item=item,
            number=1,
            step=step,
            purpose=purpose,
            method="GET",
            url="https://api.example/" + "x" * 400,
            state=AttemptState.ANSWERED,
            status_code=200,
            at=timezone.now(),
        )
        for step in range(1, 9)
        for purpose in ("alive", "alive_look")
    )

    told = poll(rita, run)
    own = rita.get(reverse("admin:instances_item_change", args=[item.pk]))

    assert len(told.content) < MOST
    assert "Request and answer" in told.json()["steps"]
    assert "The same with curl" not in told.json()["steps"]
    assert own.content.decode().count("The same with curl") == 8


def test_the_page_shows_at_first_what_its_poll_brings(rita, long_ago):
    end_items(long_ago, share=0.6)
    Item.objects.filter(run=long_ago).update(explanation=LONG[:300] + "<&>" * 60)

    shown, told = page(rita, long_ago).content.decode(), poll(rita, long_ago).json()

    assert ITEM.findall(shown) == ITEM.findall(told["items"])


ITEM = re.compile(r"/instances/item/(\d+)/change/")


# How fast, and how long still


def said_of(client, run) -> dict[str, str]:
    """Return provider → what its line says beside the numbers."""
    told = poll(client, run).json()["providers"]
    return dict(re.findall(r'">([\w ]+)</a>.*?class="pace[^>]*>([^<]*)<', told, re.S))


def test_each_provider_has_its_own_rate_and_time_left(rita, long_ago):
    end_items(long_ago, share=0.6, seconds=120)  # five a second in the last minute
    box = Item.objects.filter(run=long_ago, provider_key="box")
    ended = box.filter(status=ItemStatus.DONE)
    ended.filter(number__gt=100).update(provider_key="salesforce")

    told = said_of(rita, long_ago)

    # 200 of Salesforce's 750 are left; all of the newest were there.
    assert re.fullmatch(r"(5|4.9)/s · about 4\d seconds left", told["Salesforce"])
    assert told["Box"] == ""


def test_a_provider_that_is_done_or_waits_says_so(rita, long_ago):
    end_items(long_ago, share=0.6)
    own = Item.objects.filter(run=long_ago, provider_key="box")
    own.filter(status=ItemStatus.QUEUED).update(provider_key="salesforce")
    Part.objects.create(run=long_ago, provider_key="salesforce", status=PartStatus.HELD)

    told = said_of(rita, long_ago)

    assert told == {"Box": "done", "Salesforce": "held: waits for a decision"}


@pytest.mark.parametrize(
    ("status", "word"), [(RunStatus.PAUSED, "paused"), (RunStatus.STOPPING, "")]
)
def test_of_what_does_not_run_no_rate_is_promised(rita, long_ago, status, word):
    end_items(long_ago, share=0.6)
    Run.objects.filter(pk=long_ago.pk).update(status=status)

    assert said_of(rita, long_ago) == {"Box": word, "Salesforce": word}


def test_an_ended_run_has_numbers_and_no_pace(rita, long_ago):
    end_items(long_ago)
    ended = {"status": RunStatus.FINISHED, "finished_at": timezone.now()}
    Run.objects.filter(pk=long_ago.pk).update(**ended)

    told = poll(rita, long_ago).json()["providers"]

    assert "500 / 500" in told
    assert "pace" not in told

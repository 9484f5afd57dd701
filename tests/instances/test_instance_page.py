"""The page of one instance: the answer first, the next step for whoever reads it, and how it was."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from django.utils.html import escape

from ceadmin.teams.models import Membership
from instances.admin.uptime import uptime_of
from instances.models import Flip, Instance, InstanceTag, Item
from providers.models import ProviderApp
from tests.instances.charted import a_link, a_run, an_instance, an_item, changed
from tests.teams.inviting import browser

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def app(acme) -> ProviderApp:
    return ProviderApp.objects.create(
        organization=acme, name="Acme for Box", provider_key="box", element_key="box"
    )


@pytest.fixture
def box(acme, app) -> Instance:
    return an_instance(acme, 1, provider_app=app)


def story(user, instance):
    """Return what the page tells, and the page."""
    address = reverse("admin:instances_instance_change", args=[instance.pk])
    answer = browser(user).get(address)
    return answer.context["story"], answer.content.decode()


STEPS = {
    "unknown": "Probe",
    "connected": "Probe",
    "degraded": "Probe",
    "needs_reauth": "Make a reconnect link",
    "revoked": "Make a reconnect link",
    "disabled": "Make a reconnect link",
    "missing": "Go to the organization",
}


@pytest.mark.parametrize(("status", "label"), STEPS.items())
def test_each_status_has_its_sentence_and_its_next_step(team, box, status, label):
    Instance.objects.filter(pk=box.pk).update(status=status)

    told, page = story(team.rita, box)

    assert told.standing.step.label == label
    assert told.standing.step.url in page
    assert told.standing.sentence in page
    others = {button.label for button in told.standing.buttons}
    everything = {"Probe", "Make a reconnect link", "Drill…", "Revoke token…"}
    assert others == (everything - {label} if status != "missing" else set())


def test_who_may_only_look_is_told_who_can(team, box):
    Instance.objects.filter(pk=box.pk).update(status="needs_reauth")

    told, page = story(team.vic, box)

    assert (told.standing.step, told.standing.buttons) == (None, ())
    assert "An operator of Acme can make a reconnect link." in page


def test_why_it_is_so_stands_beside(team, box):
    Instance.objects.filter(pk=box.pk).update(
        status="needs_reauth", status_reason="grant_dead"
    )

    _, page = story(team.rita, box)

    assert "The provider no longer accepts this instance&#x27;s authorization." in page
    assert ">grant_dead</code>" in page


def test_without_a_provider_app_the_first_step_is_to_choose_one(team, acme):
    dead = an_instance(acme, 2, status="needs_reauth")

    told, page = story(team.rita, dead)

    assert told.standing.step.label == "Choose a provider app"
    assert f'id="{told.standing.step.url[1:]}"' in page
    whats = {what for what, _why in told.standing.obstacles}
    assert whats == {"Make a reconnect link", "Drill", "Revoke token"}
    assert "It has no provider app" in page


def test_what_goes_on_comes_first(team, box):
    run = a_run(team.acme, timezone.now(), status="running", finished_at=None)
    item = an_item(run, box, "expiring")
    Item.objects.filter(pk=item.pk).update(
        status="running", outcome="", finished_at=None
    )

    told, _ = story(team.rita, box)

    assert told.standing.step.label == "Follow the run"
    assert told.standing.step.url == reverse(
        "admin:instances_run_change", args=[run.pk]
    )
    assert told.standing.sentence == "A revoke run has it in hand just now."


def test_a_revocation_that_left_it_alive_comes_before_its_status(team, box):
    item = an_item(a_run(team.acme, timezone.now()), box, "still_alive")

    told, page = story(team.rita, box)

    assert told.standing.step.url == reverse(
        "admin:instances_item_change", args=[item.pk]
    )
    assert "the instance still works" in page
    assert "Revoke the refresh token" in page


def test_a_link_that_waits_is_not_made_twice(team, box):
    Instance.objects.filter(pk=box.pk).update(status="revoked")
    link = a_link(box, timezone.now() - HOUR)

    told, _ = story(team.rita, box)

    assert told.standing.step.label == "Open the reconnect link"
    assert told.standing.step.url == reverse(
        "admin:instances_reconnectlink_change", args=[link.pk]
    )


def test_where_nothing_can_be_called_the_steps_for_a_person_are_open(team, acme, app):
    bare = an_instance(acme, 3, provider_key="airtable", provider_app=app)

    told, page = story(team.rita, bare)

    labels = [button.label for button in told.standing.buttons]
    assert "Revoke token…" not in labels
    assert '<details id="by-hand" class="card" open>' in page
    assert escape(told.by_hand.steps[0]) in page


def test_it_names_who_is_affected_and_no_value(team, acme, box):
    for name in ("customer-7", "eu"):
        InstanceTag.objects.create(instance=box, name=name)
    Instance.objects.filter(pk=box.pk).update(
        configuration_names=["oauth.api.key", "<b>"], grant_fingerprint="k1:abc"
    )
    twin = an_instance(acme, 4, name="Twin", grant_fingerprint="k1:abc")
    an_instance(team.other, 5, name="Stranger", grant_fingerprint="k1:abc")

    told, page = story(team.rita, box)

    assert [one.pk for one in told.affected.siblings] == [twin.pk]
    assert "Stranger" not in page
    assert '?tag=customer-7">customer-7</a>' in page
    assert "<code>&lt;b&gt;</code>" in page


def test_a_crowd_that_shares_the_grant_is_cut_and_counted(team, acme, box):
    Instance.objects.filter(pk=box.pk).update(grant_fingerprint="k1:abc")
    for number in range(10, 35):
        an_instance(acme, number, grant_fingerprint="k1:abc")

    an_instance(team.other, 99, grant_fingerprint="k1:abc")

    told, page = story(team.rita, box)
    mine, hers = (
        browser(user).get(told.affected.all_sharing).context["cl"].result_count
        for user in (team.rita, team.eve)
    )

    assert (len(told.affected.siblings), told.affected.sharing) == (20, 26)
    assert "Show all 26 that hold it" in page
    assert (mine, hers) == (26, 0)


# What happened


def test_a_probe_that_found_nothing_new_is_no_event(team, acme, box):
    now = timezone.now()
    dull, telling = (a_run(acme, now - hours * HOUR, kind="probe") for hours in (2, 1))
    an_item(dull, box, "connected")
    item = an_item(telling, box, "dead")
    Flip.objects.create(
        instance=box,
        run=telling,
        from_status="connected",
        to_status="needs_reauth",
        at=now,
    )

    told, page = story(team.rita, box)

    assert [line.run for line in told.lines] == [telling.pk]
    assert reverse("admin:instances_item_change", args=[item.pk]) in page
    every = browser(team.rita).get(told.all_lines)
    assert every.context["cl"].result_count == 2


def test_receipts_of_revocations_are_for_who_reads_the_audit(team, acme, box):
    Membership.objects.filter(user=team.vic).update(is_auditor=True)
    an_item(a_run(acme, timezone.now()), box, "verified_dead")

    theirs = [line.receipt for line in story(team.vic, box)[0].lines]

    assert theirs[0].startswith("/admin/audit/event/receipt/")
    assert [line.receipt for line in story(team.rita, box)[0].lines] == [""]


def test_an_instance_without_a_past_says_how_to_get_one(team, acme):
    fresh = an_instance(acme, 6, status="unknown")

    told, page = story(team.rita, fresh)

    assert told.uptime.share == ""
    for words in (
        "Nothing known yet: probe it.",
        "Nothing yet. Probe it to learn how it is.",
        "It carries no tag.",
        "The platform named none.",
        "its token was not read yet",
    ):
        assert words in page


def test_a_long_past_takes_no_more_queries(team, box):
    client = browser(team.rita)
    address = reverse("admin:instances_instance_change", args=[box.pk])
    client.get(address)
    with CaptureQueriesContext(connection) as few:
        client.get(address)
    now = timezone.now()
    states = [("connected", "degraded")[number % 2] for number in range(300)]
    moments = [now - (300 - number) * HOUR for number in range(300)]
    changed(box, *zip(moments, states, strict=True))

    with CaptureQueriesContext(connection) as many:
        answer = client.get(address)

    assert len(many) == len(few)
    assert len(answer.context["story"].lines) == 20
    assert len(answer.context["story"].uptime.periods) == 30


# How it was


NOW = datetime(2026, 3, 30, 10, tzinfo=UTC)  # noon in Berlin, the day after the change


def bars(instance, zone="Europe/Berlin") -> dict[str, str]:
    """Return day → what its bar says."""
    days = uptime_of(instance, NOW, ZoneInfo(zone)).days
    return dict(one.words.split(": ", 1) for one in days)


def test_a_day_is_told_by_the_clock_of_the_reader(acme):
    # Berlin's 29 March has 23 hours, from 23:00 to 22:00 UTC.
    night = datetime(2026, 3, 28, 23, tzinfo=UTC)
    one = an_instance(acme, 1, created_at=NOW - 20 * DAY)
    changed(one, (night, "connected"), (night + 22 * HOUR, "needs_reauth"))

    told = bars(one)

    assert len(told) == 90
    assert told["29 Mar"] == "connected 22 h, needs reauthentication 1 h"
    assert told["30 Mar"] == "needs reauthentication"
    assert told["28 Mar"] == told["1 Jan"] == "not known"
    assert bars(one, "UTC")["29 Mar"] == ("connected 21 h, needs reauthentication 3 h")


def test_the_share_is_of_the_time_in_which_something_was_known(acme):
    one = an_instance(acme, 1, created_at=NOW - 80 * DAY)
    changed(one, (NOW - 8 * DAY, "connected"), (NOW - 2 * DAY, "revoked"))

    uptime = uptime_of(one, NOW, ZoneInfo("UTC"))

    assert uptime.share == "75 %"
    assert [(one.status, one.lasted) for one in uptime.periods] == [
        ("revoked", "2 d"),
        ("connected", "6 d"),
        ("unknown", "2 mo"),
    ]


@pytest.mark.parametrize(
    ("dead", "share"), [(timedelta(seconds=9), "99.9 %"), (timedelta(), "100 %")]
)
def test_all_of_the_time_is_said_only_of_all_of_it(acme, dead, share):
    one = an_instance(acme, 1, created_at=NOW - 400 * DAY)
    changed(one, (NOW - 300 * DAY, "connected"))
    if dead:
        changed(one, (NOW - 3 * DAY, "disabled"), (NOW - 3 * DAY + dead, "connected"))

    assert uptime_of(one, NOW, ZoneInfo("UTC")).share == share

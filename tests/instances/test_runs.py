"""Runs from request to outcome, against the emulator over real HTTP."""

import pytest
from django.utils import timezone
from requests_oauthlib import OAuth2Session

from ceadmin.audit.models import Event
from instances import runs
from instances.choices import InstanceStatus, Outcome, RunKind, RunStatus
from instances.models import Attempt, Instance, Item, ReconnectLink
from tests.instances.fleet import Fleet, only_item

PROVIDERS = ["box", "salesforce", "adobe_sign", "quickbooks"]


@pytest.fixture
def fleet(emulator, team):
    return Fleet(emulator, team.acme, team.rita)


def test_a_sync_mirrors_what_the_platform_lists(fleet):
    fleet.seed("box", 3)

    run = fleet.sync()

    assert run.status == RunStatus.FINISHED
    assert Instance.objects.count() == 3
    assert set(Item.objects.values_list("outcome", flat=True)) == {Outcome.NEW}
    assert Instance.objects.exclude(provider_app=fleet.app("box")).count() == 0


def test_a_second_sync_reports_nothing_new(fleet):
    fleet.seed("box", 3)
    fleet.sync()

    run = fleet.sync()

    assert (run.total, run.unchanged) == (0, 3)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_probe_finds_a_living_instance_connected(fleet, provider):
    fleet.synced(provider)

    run = fleet.run(RunKind.PROBE)

    assert only_item(run).outcome == Outcome.CONNECTED
    assert Instance.objects.get().status == InstanceStatus.CONNECTED


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_revocation_is_seen_dead_at_the_source_and_through_the_platform(
    fleet, provider
):
    fleet.synced(provider)

    run = fleet.run(RunKind.REVOKE)

    item = only_item(run)
    assert (item.outcome, item.facts["source"], item.facts["platform"]) == (
        Outcome.VERIFIED_DEAD,
        "dead",
        "dead",
    )
    assert Instance.objects.get().status == InstanceStatus.REVOKED
    assert run.status == RunStatus.FINISHED
    actions = list(Event.objects.order_by("pk").values_list("action", flat=True))
    assert (
        actions.index("revoke_intended")
        < actions.index("revoke_answered")
        < actions.index("item_settled")
    )


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_drill_goes_round_on_the_emulator(fleet, provider):
    fleet.synced(provider)

    run = fleet.run(RunKind.DRILL, self_consent=True)
    item = only_item(run)
    assert ReconnectLink.objects.filter(item=item).count() == 1
    runs.consent(item.pk, now=timezone.now())

    item.refresh_from_db()
    run.refresh_from_db()
    shown = list(
        Attempt.objects.filter(item=item).values_list(
            "step", "purpose", "state", "status_code", "code"
        )
    )
    assert item.outcome == Outcome.RECONNECTED, (item.cause, item.explanation, shown)
    assert {step for step, *_ in shown} - {0} == set(range(1, 9))
    assert run.status == RunStatus.FINISHED
    assert Instance.objects.get().status == InstanceStatus.CONNECTED


def test_a_single_call_to_a_provider_goes_over_its_oauth_session(fleet, monkeypatch):
    heard = []
    monkeypatch.setattr(
        OAuth2Session, "request", listening(heard, OAuth2Session.request)
    )
    fleet.synced("box")

    run = fleet.run(RunKind.DRILL, self_consent=True)
    runs.consent(only_item(run).pk, now=timezone.now())

    assert only_item(run).outcome == Outcome.RECONNECTED
    assert any("api.box.com/2.0/users/me" in url for url in heard)


def listening(heard, real):
    """Return a request method that notes the address first."""

    def request(self, method, url, **options):
        heard.append(url)
        return real(self, method, url, **options)

    return request

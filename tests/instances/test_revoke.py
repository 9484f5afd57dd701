"""Revocations against the emulator: each way one can end, as people will see it."""

import pytest
from django.urls import reverse
from django.utils import timezone

from instances import runs, selection
from instances.choices import InstanceStatus, Outcome, RunKind
from instances.engine import claim
from instances.models import Attempt, Instance, Item
from tests.instances.fleet import Fleet, only_item
from tests.instances.killing import (
    INTROSPECTION,
    assert_sound,
    fleet,
    generic,
    killed,
    platform_calls_after_revoke,
    quick,
    revocations,
)
from tests.people import PASSWORD

__all__ = ["fleet", "quick"]

PROVIDERS = ["box", "salesforce", "adobe_sign", "quickbooks"]

pytestmark = pytest.mark.usefixtures("quick")


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_dead_instance_is_called_once_and_not_driven_into_disabled(fleet, provider):
    (instance,) = fleet.synced(provider)

    killed(fleet)

    truth = fleet.truth(instance)
    assert platform_calls_after_revoke(fleet) <= 2
    assert (truth["disabled"], truth["refresh_alive"]) == (False, False)
    assert truth["refresh_failures"] <= 2


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_grant_that_is_dead_already_is_told_so(fleet, provider):
    (instance,) = fleet.synced(provider, state="dead")
    Instance.objects.update(status=InstanceStatus.NEEDS_REAUTH)

    item = killed(fleet)

    assert item.outcome == Outcome.ALREADY_DEAD
    assert Instance.objects.get().status == InstanceStatus.NEEDS_REAUTH
    assert fleet.truth(instance)["refresh_failures"] <= 2


@pytest.mark.parametrize("provider", ["box", "salesforce", "adobe_sign"])
def test_the_forms_of_the_article_kill_as_well(fleet, provider):
    fleet.synced(provider)

    item = killed(fleet, form="article")

    assert item.outcome == Outcome.VERIFIED_DEAD
    sent = Attempt.objects.filter(purpose__startswith="revoke").get()
    assert "********" in sent.url or "?" not in sent.url


def test_a_form_that_the_record_lacks_is_misconfigured(fleet):
    fleet.synced("quickbooks")

    item = killed(fleet, form="article")

    assert (item.outcome, item.cause) == (Outcome.MISCONFIGURED, "unknown_form")
    assert revocations(fleet) == []


def test_an_access_token_that_the_platform_heals_is_still_alive(fleet, client):
    fleet.synced("salesforce")

    item = killed(fleet, only="access")

    assert (item.outcome, item.cause) == (Outcome.STILL_ALIVE, "refreshed")
    assert "Revoke the refresh token" in item.explanation
    assert Instance.objects.get().status == InstanceStatus.CONNECTED
    assert client.login(username=fleet.user.email, password=PASSWORD)
    page = client.get(reverse("admin:instances_item_change", args=[item.pk]))
    assert "Revoke the refresh token" in page.content.decode()


def test_a_revocation_that_the_provider_ignores_is_still_alive(fleet):
    fleet.synced("box")
    fleet.fault("ignored_revoke", "*revoke", times=0)

    item = killed(fleet)

    assert (item.outcome, item.cause) == (Outcome.STILL_ALIVE, "alive_at_source")
    assert Item.objects.of_concern().filter(pk=item.pk).exists()


def test_a_still_alive_item_stays_a_concern_until_the_grant_is_dead(fleet):
    fleet.synced("box")
    fleet.fault("ignored_revoke", "*revoke")
    item = killed(fleet)

    fleet.run(RunKind.PROBE)
    assert Item.objects.of_concern().filter(pk=item.pk).exists()
    fleet.run(RunKind.REVOKE)

    assert not Item.objects.of_concern().exists()


def test_a_revocation_that_spreads_slowly_is_seen_in_the_end(fleet):
    fleet.synced("box")
    fleet.fault("propagation", "*revoke", seconds=0.3)

    item = killed(fleet)

    assert item.outcome == Outcome.VERIFIED_DEAD, item.facts
    assert len(revocations(fleet)) == 1


def test_a_wrong_client_secret_leaves_the_token_alive_and_marks_the_app(fleet):
    (instance,) = fleet.synced("box")
    app = fleet.app("box")
    app.client_secret = "wrong"
    app.save()

    item = killed(fleet)

    app.refresh_from_db()
    assert (item.outcome, item.cause) == (Outcome.REFUSED, "invalid_client")
    assert app.last_problem == "invalid_client"
    assert fleet.truth(instance)["access_alive"] is True
    assert "secret" in item.explanation


def test_the_mark_on_an_app_goes_with_the_next_revocation_that_works(fleet):
    fleet.synced("box")
    app = fleet.app("box")
    type(app).objects.update(last_problem="invalid_client")

    killed(fleet)

    app.refresh_from_db()
    assert app.last_problem == ""


def test_what_is_dead_is_not_called_alive_because_the_secret_is_wrong(fleet):
    fleet.synced("box", state="dead")
    app = fleet.app("box")
    app.client_secret = "wrong"
    app.save()

    item = killed(fleet)

    app.refresh_from_db()
    assert item.outcome == Outcome.ALREADY_DEAD
    assert app.last_problem == "invalid_client"


def test_an_access_token_that_ended_by_itself_does_not_hide_a_living_grant(fleet):
    (instance,) = fleet.synced("box", state="access_dead")

    item = killed(fleet)

    assert item.outcome == Outcome.VERIFIED_DEAD
    assert fleet.truth(instance)["refresh_alive"] is False


def test_without_a_sight_of_it_nothing_is_called_dead(fleet):
    fleet.synced("box", state="access_dead")
    fleet.fault("status", "/ping", times=0)

    item = killed(fleet)

    assert (item.outcome, item.cause) == (Outcome.ACCEPTED, "not_verifiable")


def test_a_second_operator_finds_the_grant_dead(fleet):
    fleet.synced("box")
    first, second = (fleet.draft(RunKind.REVOKE) for _ in range(2))
    for run in (first, second):
        start(fleet, run)

    fleet.work(first)
    fleet.work(second)

    assert only_item(first).outcome == Outcome.VERIFIED_DEAD
    assert only_item(second).outcome == Outcome.ALREADY_DEAD
    assert Instance.objects.get().status == InstanceStatus.REVOKED


def start(fleet: Fleet, run):
    """Start a draft."""
    runs.start(run, user=fleet.user, now=timezone.now(), reason="a test")


def test_an_instance_that_another_run_holds_is_left_alone_until_it_is_free(fleet):
    fleet.synced("box")
    first, second = (fleet.draft(RunKind.REVOKE) for _ in range(2))
    for run in (first, second):
        start(fleet, run)
    assert claim(first, "another worker") is not None

    fleet.work(second)

    assert only_item(second).status == "queued"
    assert revocations(fleet) == []


# A server known by its metadata alone


def test_a_generic_server_is_revoked_and_seen_dead_at_userinfo(fleet):
    generic(fleet)

    item = killed(fleet)

    assert (item.outcome, item.facts["source"]) == (Outcome.VERIFIED_DEAD, "dead")
    assert item.facts["tokens"] == ["refresh", "access"]


def test_a_generic_server_is_asked_by_introspection_where_it_can_be(fleet):
    generic(fleet, introspection_endpoint=INTROSPECTION)

    item = killed(fleet)

    looked = Attempt.objects.filter(purpose="verify_source").values_list(
        "url", flat=True
    )
    assert item.outcome == Outcome.VERIFIED_DEAD
    assert all(url.endswith("/introspect") for url in looked)


def test_an_access_token_that_cannot_be_revoked_is_expiring(fleet):
    fleet.switch(generic_revokes_access=False, generic_access_kills_grant=False)
    generic(fleet)
    fleet.fault("ignored_revoke", "*revoke", skip=1)

    item = killed(fleet)

    assert item.outcome in (Outcome.EXPIRING, Outcome.VERIFIED_DEAD)
    assert "refused" not in item.explanation


# What cannot be revoked


def test_an_unknown_element_is_misconfigured(fleet):
    (instance,) = fleet.synced("box")
    Instance.objects.update(element_key="zebra", provider_key="", provider_app=None)

    item = killed(fleet)

    assert (item.outcome, item.cause) == (Outcome.MISCONFIGURED, "unknown_element")
    assert fleet.truth(instance)["access_alive"] is True


def test_two_apps_and_a_masked_client_id_leave_the_choice_to_a_person(fleet):
    fleet.seed("box")
    app = fleet.app("box")
    app.pk, app.name, app.client_id, app._state.adding = None, "Other", "other", True
    app.uid = "6f2bd4a2-57b8-4b53-9d7c-5d8e0f7f0a11"
    app.client_secret = "other-secret"
    app.save()
    fleet.sync()

    item = killed(fleet)

    assert Instance.objects.get().provider_app is None
    assert (item.outcome, item.cause) == (Outcome.MISCONFIGURED, "no_app")
    assert "Assign" in item.explanation


@pytest.mark.parametrize(
    ("quirk", "outcome", "cause"),
    [
        ("masked_tokens", Outcome.MISCONFIGURED, "masked_token"),
        ("empty_configuration", Outcome.MISCONFIGURED, "empty_configuration"),
        ("id_as_string", Outcome.VERIFIED_DEAD, ""),
    ],
)
def test_what_the_platform_shows_oddly_is_read_for_what_it_is(
    fleet, quirk, outcome, cause
):
    fleet.synced("box", quirks=[quirk])

    item = killed(fleet)

    assert (item.outcome, item.cause) == (outcome, cause)


def test_a_garbled_token_is_misconfigured_and_not_missing(fleet):
    (instance,) = fleet.synced("box")
    garbled = {"oauth.user.token": "gar\u0000bled", "oauth.user.refresh_token": "é"}
    fleet.emulator.control(
        f"instances/{instance.remote_id}", {"configuration": garbled}, "PATCH"
    )

    item = killed(fleet)

    assert (item.outcome, item.cause) == (Outcome.MISCONFIGURED, "garbled_token")
    assert revocations(fleet) == []


def test_an_instance_deleted_at_the_platform_is_gone(fleet):
    (instance,) = fleet.synced("box")
    fleet.emulator.control(f"instances/{instance.remote_id}", method="DELETE")

    item = killed(fleet)

    assert (item.outcome, item.cause) == (Outcome.MISCONFIGURED, "gone")
    assert Instance.objects.get().status == InstanceStatus.MISSING


def test_an_instance_deleted_here_after_planning_ends_its_item(fleet):
    (instance,) = fleet.synced("box")
    run = fleet.draft(RunKind.REVOKE, selection.of_instances([instance.pk]))
    instance.delete()
    start(fleet, run)

    fleet.work(run)

    assert_sound(run)
    assert only_item(run).cause == "gone"


def test_an_outdated_element_token_is_replaced_on_the_way(fleet):
    (instance,) = fleet.synced("box")
    instance.element_token = "outdated="
    instance.save()

    item = killed(fleet)

    instance.refresh_from_db()
    assert (item.outcome, item.facts["platform"]) == (Outcome.VERIFIED_DEAD, "dead")
    assert instance.element_token.reveal() != "outdated="

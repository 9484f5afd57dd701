"""A reconnect that ends otherwise, and drills that play the person."""

from datetime import timedelta

import pytest
from django.utils import timezone

from ceadmin.audit.models import Event
from ceadmin.lib import http
from instances import reconnect
from instances.choices import InstanceStatus, ItemStatus, LinkStatus, Outcome, RunKind
from instances.models import Attempt, Instance, ReconnectLink
from instances.reconnect import LinkError
from tests.instances.reconnecting import (
    Browser,
    query_of,
    signed_in,
    waiting,
)

pytestmark = pytest.mark.django_db


def events(action):
    return Event.objects.filter(action=action).count()


@pytest.fixture
def person():
    return Browser()


# -- it does not work ----------------------------------------------------------------------------


def test_denied(emulator, acme, person):
    case = waiting(emulator, acme)

    page = person.reconnect(case, decision="deny")

    assert "did not allow" in page.content.decode()
    link = case.fresh()
    assert (link.status, link.item.outcome) == (LinkStatus.DENIED, Outcome.DENIED)
    assert case.heard("PATCH", "/instances") == []


def test_after_a_no_the_same_link_still_works(emulator, acme, person):
    case = waiting(emulator, acme)
    person.reconnect(case, decision="deny")

    page = person.reconnect(case)

    assert "Connected again" in page.content.decode()
    assert case.fresh().item.outcome == Outcome.RECONNECTED


def test_still_dead(emulator, acme, person):
    case = waiting(emulator, acme)
    back = person.consent(case)
    emulator.control("clock", {"advance": 120})  # the code lives for a minute

    page = person.land(person.come_back(back))

    assert "could not be made" in page.content.decode()
    link = case.fresh()
    assert (link.status, link.item.outcome) == (LinkStatus.FAILED, Outcome.STILL_DEAD)
    assert link.problem == "provider_refused"


def test_the_instance_was_deleted_meanwhile(emulator, acme, person):
    case = waiting(emulator, acme)
    back = person.consent(case)
    emulator.control(f"instances/{case.remote_id}", method="DELETE")

    person.come_back(back)

    assert case.fresh().item.outcome == Outcome.MISCONFIGURED


def test_wrong_account_waits_for_a_deliberate_yes(emulator, team, person):
    case = waiting(emulator, team.acme)
    Instance.objects.update(account="229876543")

    page = person.reconnect(case, account="other")

    assert "another account" in page.content.decode()
    link = case.fresh()
    assert link.item.outcome == Outcome.WRONG_ACCOUNT
    assert link.instance.status == InstanceStatus.NEEDS_REAUTH
    assert link.instance.account == "229876543"
    olga = signed_in(team.olga)
    olga.client.post(f"/reconnect-links/{link.uid}/paste/", {"act": "accept"})
    link = case.fresh()
    assert (link.status, link.item.outcome) == (
        LinkStatus.FINISHED,
        Outcome.RECONNECTED,
    )
    assert link.instance.account == link.found_account != "229876543"


@pytest.mark.parametrize(
    "since",
    [
        {"status": InstanceStatus.REVOKED, "status_since": True},
        {"status": InstanceStatus.CONNECTED, "revoked_at": True},
        {"status": InstanceStatus.CONNECTED, "reconnected_at": True},
    ],
)
def test_another_account_is_not_taken_after_what_happened_since(
    emulator, team, person, since
):
    case = waiting(emulator, team.acme)
    Instance.objects.update(account="229876543")
    person.reconnect(case, account="other")
    later = {name: timezone.now() for name, word in since.items() if word is True}
    Instance.objects.update(**since | later)

    with pytest.raises(LinkError) as refused:
        reconnect.accept_account(case.fresh(), user=team.olga, now=timezone.now())

    link = case.fresh()
    assert refused.value.code == "overtaken"
    assert link.status == LinkStatus.WRONG_ACCOUNT
    assert (link.instance.status, link.instance.account) == (
        since["status"],
        "229876543",
    )


def test_another_account_is_not_taken_once_a_newer_link_was_used(
    emulator, team, person
):
    case = waiting(emulator, team.acme)
    Instance.objects.update(account="229876543")
    person.reconnect(case, account="other")
    ReconnectLink.objects.create(
        instance=case.link.instance,
        token_hash="newer",
        made_at=timezone.now(),
        expires_at=timezone.now(),
        consented_at=timezone.now(),
        status=LinkStatus.WRONG_ACCOUNT,
    )

    with pytest.raises(LinkError, match="reconnected since"):
        reconnect.accept_account(case.fresh(), user=team.olga, now=timezone.now())


def test_the_platform_makes_no_address(emulator, acme, person):
    case = waiting(emulator, acme)
    case.fault("html", "/elements/box/oauth/url", times=0)

    page = person.client.post(case.path)

    assert page.status_code == 502
    link = case.fresh()
    assert (link.status, link.problem) == (LinkStatus.MADE, "html")
    assert "cannot be reached" in page.content.decode()


def test_a_lost_answer_to_a_patch_that_worked(emulator, acme, person):
    case = waiting(emulator, acme)
    back = person.consent(case)
    case.fault("cut", "/instances", when="after")

    person.come_back(back)

    assert case.fresh().item.outcome == Outcome.RECONNECTED
    assert len(case.heard("PATCH", "/instances")) == 1


def test_a_lost_patch_that_did_nothing(emulator, acme, person):
    case = waiting(emulator, acme)
    back = person.consent(case)
    case.fault("cut", "/instances")

    person.come_back(back)

    link = case.fresh()
    assert (link.status, link.item.outcome) == (LinkStatus.FAILED, Outcome.STILL_DEAD)
    assert len(case.heard("PATCH", "/instances")) == 1


def test_a_lost_answer_about_an_instance_that_worked_before(emulator, acme, person):
    case = waiting(emulator, acme, state="alive")
    Instance.objects.update(status=InstanceStatus.CONNECTED)
    back = person.consent(case)
    case.fault("cut", "/instances", when="after")

    person.come_back(back)

    assert case.fresh().item.outcome == Outcome.UNCLEAR


class Killed(BaseException):
    """The process ends here."""


def killed(*args, **kwargs):
    raise Killed


def hours_later():
    """Let nobody have the code in hand any more."""
    ReconnectLink.objects.update(held_until=timezone.now() - timedelta(seconds=1))
    reconnect.recover(now=timezone.now())


def test_a_code_in_hand_is_left_to_whoever_has_it(emulator, acme, person, monkeypatch):
    case = waiting(emulator, acme)
    back = person.consent(case)
    monkeypatch.setattr("instances.reconnect.person.hand_over", killed)
    with pytest.raises(Killed):
        person.come_back(back)

    reconnect.recover(now=timezone.now())

    assert case.fresh().status == LinkStatus.CONSENTED


def test_a_process_that_died_before_the_patch(emulator, acme, person, monkeypatch):
    case = waiting(emulator, acme)
    back = person.consent(case)
    monkeypatch.setattr("instances.reconnect.person.hand_over", killed)
    with pytest.raises(Killed):
        person.come_back(back)

    hours_later()

    link = case.fresh()
    assert (link.status, link.item.outcome) == (LinkStatus.FAILED, Outcome.STILL_DEAD)


def test_a_process_that_died_after_the_patch(emulator, acme, person, monkeypatch):
    case = waiting(emulator, acme)
    back = person.consent(case)
    with monkeypatch.context() as patched:
        patched.setattr("instances.reconnect.close.close", killed)
        with pytest.raises(Killed):
            person.come_back(back)

    hours_later()

    link = case.fresh()
    assert (link.status, link.item.outcome) == (
        LinkStatus.FINISHED,
        Outcome.RECONNECTED,
    )
    assert len(case.heard("PATCH", "/instances")) == 1


def test_a_fault_of_ours_leaves_the_address_with_the_code(
    emulator, acme, person, monkeypatch
):
    case = waiting(emulator, acme)
    back = person.consent(case)

    def breaks(*args, **kwargs):
        raise RuntimeError

    monkeypatch.setattr("instances.reconnect.person.hand_over", breaks)

    assert person.come_back(back)["Location"] == "/reconnect/failed/failed/"


# -- drills consent by themselves on the emulator ------------------------------------------------


def test_a_drill_consents_by_itself(emulator, team):
    case = waiting(
        emulator, team.acme, kind=RunKind.DRILL, user=team.rita, self_consent=True
    )

    link = reconnect.consent_by_itself(case.link, now=timezone.now())

    assert link.item.outcome == Outcome.RECONNECTED
    seen = Attempt.objects.filter(
        purpose__in=["address", "consent", "reauthenticate", "alive"]
    )
    assert list(seen.order_by("pk").values_list("step", "status_code")) == [
        (5, 200),
        (6, 302),
        (7, 200),
        (8, 200),
    ]


def test_a_doubled_message_changes_nothing(emulator, team):
    case = waiting(
        emulator, team.acme, kind=RunKind.DRILL, user=team.rita, self_consent=True
    )
    in_hand = timezone.now() + timedelta(minutes=1)
    ReconnectLink.objects.update(held_until=in_hand)
    untouched = reconnect.consent_by_itself(case.link, now=timezone.now())
    ReconnectLink.objects.update(held_until=None)
    reconnect.consent_by_itself(case.link, now=timezone.now())

    again = reconnect.consent_by_itself(case.link, now=timezone.now())

    assert (untouched.status, again.status) == (LinkStatus.MADE, LinkStatus.FINISHED)
    assert len(case.heard("PATCH", "/instances")) == 1


def test_a_spoiled_consent_ends_the_drill(emulator, team):
    case = waiting(
        emulator, team.acme, kind=RunKind.DRILL, user=team.rita, self_consent=True
    )
    case.fault("status", "/api/oauth2/authorize", times=0, status=500)

    link = reconnect.consent_by_itself(case.link, now=timezone.now())

    assert (link.item.status, link.item.outcome) == (
        ItemStatus.DONE,
        Outcome.STILL_DEAD,
    )
    assert link.instance.status == InstanceStatus.REVOKED


def test_nobody_is_played_without_the_runs_word(emulator, team):
    case = waiting(emulator, team.acme, kind=RunKind.DRILL, user=team.rita)

    with pytest.raises(LinkError):
        reconnect.consent_by_itself(case.link, now=timezone.now())


def test_nobody_is_played_outside_the_emulator(emulator, team, settings):
    case = waiting(emulator, team.acme, kind=RunKind.DRILL, self_consent=True)
    settings.EMULATOR_URL = ""

    assert not http.emulated()
    with pytest.raises(LinkError):
        reconnect.consent_by_itself(case.link, now=timezone.now())


def test_the_state_of_the_address_is_ours(emulator, acme, person):
    case = waiting(emulator, acme)

    state = query_of(person.start(case))["state"]

    assert len(state) >= 43
    assert state not in str(list(type(case.link).objects.values()))

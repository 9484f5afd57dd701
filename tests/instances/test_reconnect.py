"""A person reconnects an instance, over real HTTP to the emulator."""

import pytest

from ceadmin.audit.choices import Action
from ceadmin.audit.models import Event
from instances.choices import InstanceStatus, LinkStatus, Outcome
from instances.models import Attempt, Instance
from tests.instances.reconnecting import (
    ELEMENTS,
    THEIR_CALLBACK,
    Browser,
    signed_in,
    waiting,
)

pytestmark = pytest.mark.django_db


def events(action):
    return Event.objects.filter(action=action).count()


@pytest.fixture
def person():
    return Browser()


# -- it works ------------------------------------------------------------------------------------


@pytest.mark.parametrize("provider", sorted(ELEMENTS))
def test_a_person_reconnects_through_our_callback(emulator, acme, person, provider):
    case = waiting(emulator, acme, provider=provider)

    page = person.reconnect(case)

    assert "Connected again" in page.content.decode()
    link = case.fresh()
    assert (link.status, link.item.outcome) == (
        LinkStatus.FINISHED,
        Outcome.RECONNECTED,
    )
    assert link.instance.status == InstanceStatus.CONNECTED
    assert case.truth()["access_alive"]


@pytest.mark.parametrize("provider", sorted(ELEMENTS))
def test_a_member_pastes_what_came_back_to_their_app(emulator, team, provider):
    case = waiting(emulator, team.acme, provider=provider, mode="theirs")
    olga = signed_in(team.olga)
    page = f"/reconnect-links/{case.link.uid}/paste/"
    started = olga.client.post(page, {"act": "start"})
    back = olga.decide(started.context["url"], instance=str(case.remote_id))

    assert back.startswith(THEIR_CALLBACK)
    olga.client.post(page, {"act": "paste", "pasted": back})

    assert case.fresh().item.outcome == Outcome.RECONNECTED
    assert case.truth()["callback_url"] == THEIR_CALLBACK


def test_their_app_may_forward_to_our_callback(emulator, acme, person):
    case = waiting(emulator, acme, mode="theirs")
    back = person.consent(case)

    forwarded = back.replace(
        THEIR_CALLBACK, "http://127.0.0.1:8000/oauth/callback/box/"
    )
    page = person.land(person.come_back(forwarded))

    assert "Connected again" in page.content.decode()


def test_in_mode_ours_the_former_callback_goes_into_the_audit(emulator, acme, person):
    case = waiting(emulator, acme)

    person.reconnect(case)

    assert case.truth()["callback_url"].endswith("/oauth/callback/box/")
    settled = Event.objects.get(action=Action.ITEM_SETTLED)
    assert THEIR_CALLBACK in settled.text
    assert case.fresh().instance.callback_url.endswith("/oauth/callback/box/")


def test_id_and_element_token_survive(emulator, acme, person):
    case = waiting(emulator, acme)
    before = case.link.instance.element_token.reveal()

    person.reconnect(case)

    after = Instance.objects.get()
    assert after.element_token.reveal() == before
    assert after.grant_fingerprint


@pytest.mark.parametrize(
    "form", ["patch_instances", "patch_instance_by_id", "put_instance"]
)
def test_the_organization_chooses_the_call(emulator, acme, person, form):
    acme.reauthenticate_by = form
    acme.save()
    case = waiting(emulator, acme)

    person.reconnect(case)

    assert case.fresh().status == LinkStatus.FINISHED
    by_id = f"/instances/{case.remote_id}"
    path = "/instances" if form == "patch_instances" else by_id
    method = "PUT" if form == "put_instance" else "PATCH"
    assert len(case.heard(method, path)) == 1


def test_a_disabled_instance_is_enabled_on_the_way(emulator, acme, person):
    case = waiting(emulator, acme, state="disabled")

    person.reconnect(case)

    assert not case.truth()["disabled"]
    assert case.fresh().item.outcome == Outcome.RECONNECTED


def test_each_step_leaves_evidence_without_a_secret(emulator, acme, person):
    case = waiting(emulator, acme)

    person.reconnect(case)

    steps = dict(
        Attempt.objects.filter(step__gte=5)
        .order_by("pk")
        .values_list("step", "purpose")
    )
    assert steps == {5: "address", 6: "consent", 7: "reauthenticate", 8: "alive"}
    assert not Attempt.objects.filter(url__contains="client-secret-canary").exists()


def test_a_run_ends_with_its_last_link(emulator, acme, person):
    case = waiting(emulator, acme)

    person.reconnect(case)

    assert case.fresh().item.run.status == "finished"


def test_each_act_is_audited(emulator, acme, person):
    case = waiting(emulator, acme)

    person.reconnect(case)

    for action in (
        Action.LINK_MADE,
        Action.LINK_OPENED,
        Action.LINK_CONSENTED,
        Action.LINK_FINISHED,
        Action.ITEM_SETTLED,
        Action.STATUS_CHANGED,
    ):
        assert events(action) == 1, action

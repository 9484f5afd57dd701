"""Buttons: who may press them, and that nobody presses them for somebody else."""

import pytest
from django.test import Client

from instances.choices import RunKind, RunStatus
from instances.models import ReconnectLink, Run
from tests.instances.fleet import Fleet

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]

BUTTONS = (
    "/admin/instances/instance/{instance}/act/probe/",
    "/admin/instances/instance/{instance}/act/revoke/",
    "/admin/instances/instance/{instance}/act/reconnect/",
    "/admin/instances/instance/{instance}/act/drill/",
    "/admin/instances/run/{draft}/do/start/",
    "/admin/instances/run/{draft}/do/discard/",
    "/admin/instances/run/{run}/do/retry/",
    "/admin/instances/run/{run}/do/stop/",
    "/admin/instances/run/{run}/do/reconnect/",
    "/admin/instances/reconnectlink/{link}/do/cancel/",
    "/admin/instances/reconnectlink/{link}/do/accept/",
    "/admin/teams/organization/{acme}/test/",
    "/admin/teams/organization/{acme}/sync/",
    "/admin/providers/providerapp/{app}/test/",
)
SECRET_LISTS = ("/admin/instances/run/{run}/links.csv", "/reconnect-links/{uid}/paste/")


@pytest.fixture
def names(emulator, team):
    """The rows that buttons are about."""
    fleet = Fleet(emulator, team.acme, team.rita)
    instance = fleet.synced("box")[0]
    run = fleet.run(RunKind.RECONNECT)
    link = ReconnectLink.objects.get()
    return {
        "instance": instance.pk,
        "draft": fleet.draft(RunKind.REVOKE).pk,
        "run": run.pk,
        "link": link.pk,
        "uid": link.uid,
        "acme": team.acme.pk,
        "app": instance.provider_app_id,
    }


def browser(user, **kwargs):
    client = Client(**kwargs)
    client.force_login(user)
    return client


def everything():
    runs = [tuple(row) for row in Run.objects.order_by("pk").values_list()]
    return runs, list(ReconnectLink.objects.order_by("pk").values_list())


@pytest.mark.parametrize("address", BUTTONS)
def test_whoever_only_looks_presses_no_button(team, names, address):
    before = everything()
    where = address.format(**names)

    answers = [browser(team.vic).post(where, {"reason": "x"}).status_code]
    answers.append(browser(team.eve).post(where, {"reason": "x"}).status_code)

    assert everything() == before
    # Of a retry of what did not fail nobody makes a run, whoever asks.
    assert answers in ([403, 404], [302, 404])
    assert answers[0] == 403 or address.endswith("/retry/")


@pytest.mark.parametrize("address", BUTTONS)
def test_no_button_is_pressed_by_an_address_or_from_another_site(team, names, address):
    before, where = everything(), address.format(**names)
    team.rita.memberships.update(is_owner=True)

    opened = browser(team.rita).get(where)
    forged = browser(team.rita, enforce_csrf_checks=True).post(where)

    assert opened.status_code == 405
    assert forged.status_code == 403
    assert everything() == before
    assert Run.objects.get(pk=names["draft"]).status == RunStatus.DRAFT


@pytest.mark.parametrize("address", SECRET_LISTS)
def test_addresses_of_links_are_for_operators(team, names, address):
    where = address.format(**names)

    assert browser(team.vic).get(where).status_code == 403
    assert browser(team.eve).get(where).status_code == 404
    assert browser(team.olga).get(where).status_code == 200


@pytest.mark.parametrize(
    "target",
    [
        "//evil.example",
        "https://evil.example/",
        "/\\evil.example",
        "javascript:alert(1)",
        "http://[::1",
        "\x00",
    ],
)
def test_nobody_is_sent_elsewhere_after_a_switch(team, target):
    answer = browser(team.vic).post("/admin/switch/", {"next": target})

    assert answer["Location"] == "/admin/"

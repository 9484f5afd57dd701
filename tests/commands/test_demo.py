"""`manage.py demo` shows the main job, and fails when any step of it goes wrong."""

import pytest

from ceadmin.teams.models import Organization, User
from instances.choices import InstanceStatus
from instances.management.demo.world import world
from instances.models import Instance, Run
from providers.models import ProviderApp
from tests.commands.conftest import manage


@pytest.fixture
def demo(emulator, worker):
    """The stand-in and a worker."""
    return emulator


def test_the_world_is_what_was_promised():
    acme = world().tenants[0]

    assert len(acme.seeds) == 40
    assert all(seed.tags for seed in acme.seeds)
    roles = [
        {place: tuple(held) for place, held in one.roles.items()}
        for one in world().people
        if one.roles
    ]
    assert len(roles) == 4 and not any(roles.count(one) > 1 for one in roles)
    assert {seed.state for seed in acme.seeds} == {
        "alive",
        "dead",
        "disabled",
        "access_dead",
    }
    assert {app.mode for app in acme.apps} == {"ours", "theirs"}
    assert [seed.state for seed in acme.drills()] == ["alive"] * 4


def test_outside_the_demo_it_refuses(db, settings):
    settings.DEMO = False

    ended = manage("demo")

    assert ended.code == 2
    assert "make demo" in ended.error


def test_an_unknown_fault_is_refused(emulator):
    ended = manage("demo", "--fault", "gremlins")

    assert ended.code == 2


def test_a_stand_in_that_is_away_is_said(db, settings):
    settings.EMULATOR_URL = "http://127.0.0.1:9"

    ended = manage("demo")

    assert ended.code == 1
    assert "does not answer" in ended.error


def test_it_goes_round_and_its_world_stays(demo):
    first = manage("demo")
    drilled = Run.objects.filter(kind="drill").count()
    second = manage("demo")

    assert (first.code, second.code) == (0, 0), first.text + second.text
    assert "200           200" not in first.text.partition("4 See it dead")[2][:80]
    assert "log tells the same" in second.text
    assert (drilled, Run.objects.filter(kind="drill").count()) == (4, 8)
    assert Run.objects.filter(kind="sync").count() == 2
    assert ProviderApp.objects.filter(organization__slug="acme").count() == 4
    assert Instance.objects.filter(organization__slug="acme").count() == 40
    assert Organization.objects.count() == 2


def test_statuses_are_true_and_people_can_sign_in(demo, client):
    ended = manage("demo")

    statuses = set(Instance.objects.values_list("status", flat=True))
    mail, password = next(
        line.split()[:2] for line in ended.text.splitlines() if "rita@" in line
    )
    assert client.login(username=mail, password=password)
    assert User.objects.count() == 5
    assert statuses == {
        InstanceStatus.CONNECTED,
        InstanceStatus.NEEDS_REAUTH,
        InstanceStatus.DISABLED,
    }


@pytest.mark.parametrize("fault", world().faults)
def test_each_fault_makes_it_fail_and_the_next_demo_is_well(demo, fault):
    spoiled = manage("demo", "--fault", fault)

    assert spoiled.code == 1, spoiled.text
    assert "*" in spoiled.text
    assert "did not do what the article says" in spoiled.text
    assert demo.control("faults")["faults"] == []


def test_a_demo_after_a_spoiled_one_is_well_again(demo):
    manage("demo", "--fault", "patch-refused")

    ended = manage("demo")

    assert ended.code == 0, ended.text


def test_a_drill_that_was_left_in_the_middle_is_ended_first(demo):
    manage("demo")
    drill = Instance.objects.filter(tags__name="drill").first()
    asked = ("--as", "rita@example.com", "--reason", "left alone")
    manage("drill", drill.remote_id, *asked, "--wait", "--timeout", "5")

    ended = manage("demo")

    assert ended.code == 0, ended.text
    assert Run.objects.get(reason="left alone").status == "stopped"

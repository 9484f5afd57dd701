"""A reconnect while everything goes wrong: every fault at every step ends in a named outcome."""

import pytest
from django.utils import timezone

from ceadmin.audit.models import Event
from ceadmin.lib import http
from instances import runs
from instances.actions import talk
from instances.choices import ItemStatus, LinkStatus, Outcome, RunStatus
from instances.models import Attempt
from tests.instances.reconnecting import Browser, waiting
from tests.instances.test_revoke_faults import FAULTS

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.usefixtures("quick"),
    pytest.mark.any_database,
]

#: The platform's and the provider's part of a reconnect after the consent.
AFTERWARDS = {
    "read": "/instances/*",
    "alive": "/ping",
    "identity": "/2.0/users/me",
}
HARMLESS = ["clock_skew", "ids_as_strings", "escaped_nul"]
#: After these nobody knows whether the platform acted.
LOST = ["timeout", "cut", "500", "html", "empty"]
#: What says nothing about the grant: the instance is not called dead for it.
PASSING = ["timeout", "cut", "500", "502", "503", "429", "429_later", "html"]


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(talk, "_FIRST_PAUSE", 0.01)
    monkeypatch.setattr(http.Request.__init__, "__defaults__", ((), None, 0.5))


@pytest.fixture
def case(emulator, acme):
    return waiting(emulator, acme)


def spoil(case, path, name, **more):
    fault = dict(FAULTS[name])
    case.fault(fault.pop("kind"), path, **({"times": 0} | fault | more))


def come_back(case, path, name, **more):
    """Consent, spoil what follows, come back; return the item with nothing left hanging."""
    person = Browser()
    back = person.consent(case)
    spoil(case, path, name, **more)
    page = person.land(person.come_back(back))
    assert page.status_code == 200
    runs.sweep(now=timezone.now())
    link = case.fresh()
    assert link.item.status == ItemStatus.DONE
    assert link.item.run.status == RunStatus.FINISHED
    assert link.item.outcome == Outcome.RECONNECTED or link.item.explanation
    assert not Attempt.objects.filter(state="intended").exists()
    assert Event.objects.filter(action="item_settled", item_id=link.item_id).count()
    return link.item


@pytest.mark.parametrize("name", FAULTS)
def test_without_an_address_the_person_is_told_and_the_link_stays(case, name):
    spoil(case, "/elements/box/oauth/url", name)

    page = Browser().client.post(case.path)

    link = case.fresh()
    good = name in HARMLESS
    assert page.status_code == (200 if good else 502)
    assert link.status == (LinkStatus.OPENED if good else LinkStatus.MADE)
    assert good or link.problem
    assert link.item.status == ItemStatus.WAITING


@pytest.mark.parametrize("name", [*HARMLESS, *LOST, "truncated", "invalid_utf8"])
def test_a_spoiled_answer_to_the_code_is_looked_into(case, name):
    item = come_back(case, "/instances", name, when="after", times=1)

    assert item.outcome == Outcome.RECONNECTED, item.cause
    assert len(case.heard("PATCH", "/instances")) == 1


@pytest.mark.parametrize("name", [*LOST, "429", "503", "html_401", "redirect"])
def test_a_code_that_was_never_taken_is_not_called_reconnected(case, name):
    item = come_back(case, "/instances", name, times=1)

    assert item.outcome != Outcome.RECONNECTED, item.cause
    assert len(case.heard("PATCH", "/instances")) == 1


@pytest.mark.parametrize("step", AFTERWARDS)
@pytest.mark.parametrize("name", FAULTS)
def test_a_look_that_fails_hides_no_good_end(case, name, step):
    item = come_back(case, AFTERWARDS[step], name)

    if step == "identity" or name in HARMLESS:
        assert item.outcome == Outcome.RECONNECTED
    if step == "alive" and name in PASSING:
        assert item.outcome == Outcome.UNCLEAR, item.cause

"""What tests of what the audit tells share: people at their addresses, and an event as it is read."""

import json
from dataclasses import dataclass
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from ceadmin.audit.models import Event, Origin, Person
from instances import runs
from instances.choices import RunKind
from instances.models import Instance, Run
from tests.instances.fleet import Fleet
from tests.people import PASSWORD

WHY = {"reason": "Vendor leaked", "ticket": "SEC-7"}
RITA, ANN, OTTO, CUSTOMER = "192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4"


@dataclass
class Told:
    """An event as somebody reads it."""

    event: Event

    @property
    def who(self) -> tuple[str, str, str]:
        """Return name, roles and address of the actor."""
        person = Person.objects.filter(uid=self.event.actor_uid).first()
        origin = Origin.objects.filter(uid=self.event.origin_uid).first()
        name = person.name if person else self.event.actor_kind
        return name, self.event.role, origin.address if origin else ""

    @property
    def why(self) -> dict[str, str]:
        """Return reason and ticket."""
        return {"reason": self.event.reason, "ticket": self.event.ticket}

    @property
    def facts(self) -> dict[str, Any]:
        """Return the facts."""
        return json.loads(self.event.text)["facts"]


def told(action: str, **columns: Any) -> Told:
    """Return the one event of an act."""
    return Told(Event.objects.get(action=action, **columns))


def browser(user, address: str) -> Client:
    """Return somebody's browser, signed in, at a network address."""
    client = Client(REMOTE_ADDR=address)
    assert client.login(username=user.email, password=PASSWORD)
    return client


def press(client: Client, run: Run, act: str, **fields: str) -> None:
    """Press a button of a run's page."""
    address = reverse("admin:instances_run_do", args=[run.pk, act])
    assert client.post(address, fields).status_code == 302
    run.refresh_from_db()


def drafted(client: Client, kind: str = RunKind.REVOKE) -> Run:
    """Press a button of an instance's page; return the run, its list frozen."""
    pk = Instance.objects.order_by("pk").values_list("pk", flat=True)[0]
    client.post(reverse("admin:instances_instance_act", args=[pk, kind]))
    run = Run.objects.latest("pk")
    runs.plan(run.pk, now=timezone.now())
    run.refresh_from_db()
    return run


REVOKER = ("Rita", "operator,revoker,viewer", RITA)


@pytest.fixture
def fleet(emulator, team) -> Fleet:
    """Acme's instances on both sides."""
    return Fleet(emulator, team.acme, team.rita)


@pytest.fixture
def rita(team) -> Client:
    """The revoker's browser."""
    return browser(team.rita, RITA)


@pytest.fixture
def otto(team) -> Client:
    """The owner's browser."""
    return browser(team.otto, OTTO)

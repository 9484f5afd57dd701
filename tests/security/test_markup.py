"""Names and words of others are text on every page, never markup."""

import json
from urllib.parse import urlsplit

import pytest
from django.urls import reverse
from django.utils import timezone

from ceadmin.audit.models import Event
from ceadmin.teams.models import Membership, Organization, User
from instances import reconnect
from instances.models import Attempt, Instance, InstanceTag, Item, ReconnectLink, Run
from providers.models import EnabledProvider, Limit, ProviderApp
from tests.instances.fleet import Fleet

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]

EVIL = '"><zorb onload=alert(1)>\u202e'
SHOWN = {
    "audit_event": Event,
    "instances_instance": Instance,
    "instances_item": Item,
    "instances_reconnectlink": ReconnectLink,
    "instances_run": Run,
    "providers_enabledprovider": EnabledProvider,
    "providers_limit": Limit,
    "providers_providerapp": ProviderApp,
    "teams_membership": Membership,
    "teams_organization": Organization,
    "teams_user": User,
}


@pytest.fixture
def spoiled(emulator, team):
    """Everything that people or remote systems may name bears markup."""
    team.rita.memberships.update(is_owner=True, is_auditor=True)
    team.rita.name = EVIL
    team.rita.save()
    team.acme.name = EVIL
    team.acme.save()
    fleet = Fleet(emulator, team.acme, team.rita)
    InstanceTag.objects.create(instance=fleet.synced("box", 2)[0], name=EVIL)
    Instance.objects.update(name=EVIL, account=EVIL, hub=EVIL, callback_url=EVIL)
    app = fleet.apps["box"]
    Limit.objects.create(
        organization=team.acme, scope="app", provider_app=app, rate=20_000
    )
    EnabledProvider.objects.create(
        organization=team.acme,
        provider_key="atlassian",
        enabled_at=timezone.now(),
        enabled_by_name=EVIL,
    )
    ProviderApp.objects.update(name=EVIL, scope=EVIL, last_problem=EVIL)
    for kind in ("probe", "reconnect", "drill"):
        fleet.run(kind)
    fleet.draft("revoke")
    Run.objects.update(reason=EVIL, ticket=EVIL, problem=EVIL, problem_text=EVIL)
    facts = {EVIL: EVIL, "account": EVIL, "siblings": [EVIL]}
    Item.objects.update(facts=facts, explanation=EVIL, cause=EVIL, remote_id=EVIL)
    Attempt.objects.update(excerpt=EVIL, url=EVIL, code=EVIL)
    ReconnectLink.objects.update(problem_text=EVIL, found_account=EVIL)
    Organization.objects.update(
        secrets_set_by_name=EVIL,
        secrets_problem=EVIL,
        secrets_problem_at=timezone.now(),
    )
    return team.rita


def addresses():
    yield from ("/admin/", "/admin/search/?q=zorb", "/admin/search/?q=%3Czorb%20")
    for name, model in SHOWN.items():
        yield reverse(f"admin:{name}_changelist")
        for row in model.objects.order_by("-pk")[:12]:
            yield reverse(f"admin:{name}_change", args=[row.pk])
            yield reverse(f"admin:{name}_delete", args=[row.pk])
    for link in ReconnectLink.objects.all():
        yield reverse("instances:paste", args=[link.uid])
        yield urlsplit(reconnect.address_of(link)).path or "/reconnect/done/"


def test_no_page_takes_a_name_for_markup(client, spoiled):
    client.force_login(spoiled)
    told = 0

    for address in addresses():
        text = client.get(address).content.decode()
        assert "<zorb" not in text, address
        told += "&lt;zorb" in text

    assert told > 40


#: What the live page writes as markup; everything else it writes as text.
FRAGMENTS = {"parts", "providers", "outcomes", "causes", "items", "links", "steps"}
FRAGMENTS |= {"pill"}
TEXTS = {"heading", "trouble"}


def test_no_live_part_takes_a_name_for_markup(client, spoiled):
    client.force_login(spoiled)

    for run in Run.objects.exclude(status="draft"):
        answer = client.get(reverse("admin:instances_run_live", args=[run.pk]))
        parts = json.loads(answer.content)
        assert set(parts) >= FRAGMENTS
        assert {name for name in parts if "<zorb" in str(parts[name])} <= TEXTS

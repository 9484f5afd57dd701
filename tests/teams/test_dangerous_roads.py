"""Every road to a dangerous act asks first that it is the person, and goes on afterwards."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from ceadmin.teams.models import Invitation, Membership, Policy, PolicyChange, User
from instances import runs
from instances.choices import RunKind, RunStatus
from instances.models import Run
from providers.models import OwnProvider, ProviderApp
from tests.instances.fleet import Fleet
from tests.instances.writing import change
from tests.people import PASSWORD, Team, make_user
from tests.providers.own_records import HOSTS, own, text
from tests.teams.pages import fields_of
from tests.teams.signing_in import browser_of, give_factor, long_ago

pytestmark = pytest.mark.django_db


@dataclass
class Place:
    """Where the acts are done."""

    team: Team
    fleet: Fleet
    ada: User
    alan: User


@pytest.fixture
def place(emulator, team) -> Place:
    """Acme with an instance, Ada who may do everything, Alan who approves."""
    ada = User.objects.create_superuser("ada@example.com", PASSWORD)
    alan = make_user("Alan", team.acme, is_approver=True)
    return Place(team, Fleet(emulator, team.acme, team.rita), ada, alan)


@dataclass
class Road:
    """Who presses what, and how to tell that it was done."""

    user: User
    address: str
    data: dict[str, Any]
    done: Callable[[], bool]


def draft(place: Place, kind: str) -> Run:
    place.fleet.synced("box")
    return place.fleet.draft(kind)


def status_of(run: Run) -> str:
    return Run.objects.get(pk=run.pk).status


def start(kind: str) -> Callable[[Place], Road]:
    def road(place: Place) -> Road:
        run = draft(place, kind)
        word = "REVOKE" if kind == RunKind.REVOKE else "DRILL"
        data = {"reason": "a test", "typed": f"{word} 1", "confirm": f"{word} 1"}
        page = reverse("admin:instances_run_change", args=[run.pk])
        client = Client()
        client.force_login(place.team.rita)
        fields = fields_of(client.get(page).content.decode())
        address = reverse("admin:instances_run_do", args=[run.pk, "start"])
        started = lambda: status_of(run) != RunStatus.DRAFT  # noqa: E731
        return Road(place.team.rita, address, {**fields, **data}, started)

    return road


def approve(place: Place) -> Road:
    Policy.objects.update_or_create(
        organization=place.team.acme, defaults={"most_alone": 0}
    )
    run = draft(place, RunKind.REVOKE)
    runs.ask(run, user=place.team.rita, now=timezone.now(), reason="a leak")
    address = reverse("admin:instances_run_do", args=[run.pk, "approve"])
    data = {"digest": run.approvals.get().digest}
    approved = lambda: run.approvals.filter(status="approved").exists()  # noqa: E731
    return Road(place.alan, address, data, approved)


def break_glass(place: Place) -> Road:
    Policy.objects.update_or_create(
        organization=place.team.acme, defaults={"most_alone": 0}
    )
    run = draft(place, RunKind.REVOKE)
    address = reverse("admin:instances_run_do", args=[run.pk, "break-glass"])
    started = lambda: status_of(run) != RunStatus.DRAFT  # noqa: E731
    return Road(place.team.otto, address, {"why": "it burns"}, started)


def form_at(user: User, page: str, **values: str) -> dict[str, str]:
    client = Client()
    client.force_login(user)
    return {**fields_of(client.get(page).content.decode()), **values}


def organization_secret(place: Place) -> Road:
    acme = place.team.acme
    page = reverse("admin:teams_organization_change", args=[acme.pk])
    data = form_at(place.team.otto, page, user_secret_typed=acme.user_secret.reveal())
    before = acme.user_secret.sealed

    def changed() -> bool:
        acme.refresh_from_db()
        return acme.user_secret.sealed != before

    return Road(place.team.otto, page, data, changed)


def app_secret(place: Place) -> Road:
    app = place.fleet.app("box")
    page = reverse("admin:providers_providerapp_change", args=[app.pk])
    secret = app.client_secret.reveal()
    data = form_at(place.team.otto, page, client_secret_typed=secret)
    before = app.client_secret.sealed

    def changed() -> bool:
        app.refresh_from_db()
        return app.client_secret.sealed != before

    return Road(place.team.otto, page, data, changed)


def app_removed(place: Place) -> Road:
    app = place.fleet.app("box")
    page = reverse("admin:providers_providerapp_delete", args=[app.pk])
    gone = lambda: not ProviderApp.objects.exists()  # noqa: E731
    return Road(place.team.otto, page, {"post": "yes"}, gone)


def held(place: Place, act: str) -> Road:
    run = draft(place, RunKind.REVOKE)
    runs.start(run, user=place.team.rita, now=timezone.now(), reason="a leak")
    Run.objects.filter(pk=run.pk).update(status=RunStatus.PAUSED)
    address = reverse("admin:instances_run_do", args=[run.pk, act])
    going = lambda: status_of(run) == RunStatus.RUNNING  # noqa: E731
    return Road(place.team.rita, address, {}, going)


def resumed(place: Place) -> Road:
    return held(place, "resume")


def app_added(place: Place) -> Road:
    page = reverse("admin:providers_providerapp_add")
    data = {
        "organization": place.team.acme.pk,
        "name": "Elsewhere",
        "provider_key": "generic_rfc7009",
        "element_key": "anything",
        "client_id": "x",
        "callback_mode": "ours",
        "site": '{"revocation_endpoint": "https://login.example.com/revoke"}',
    }
    apps = ProviderApp.objects.filter(name="Elsewhere")
    return Road(place.team.otto, page, data, apps.exists)


def member_invited(place: Place) -> Road:
    page = reverse("admin:teams_invitation_add")
    data = {"organization": place.team.acme.pk, "email": "new@example.com"}
    open_ones = Invitation.objects.filter(email="new@example.com")
    return Road(place.team.otto, page, data, open_ones.exists)


def members_removed(place: Place) -> Road:
    rows = Membership.objects.filter(user=place.team.vic)
    data = {
        "action": "delete_selected",
        "_selected_action": [rows.get().pk],
        "post": "yes",
    }
    page = reverse("admin:teams_membership_changelist")
    return Road(place.team.otto, page, data, lambda: not rows.exists())


def member_removed(place: Place) -> Road:
    rows = Membership.objects.filter(user=place.team.vic)
    page = reverse("admin:teams_membership_delete", args=[rows.get().pk])
    return Road(place.team.otto, page, {"post": "yes"}, lambda: not rows.exists())


def powers(place: Place) -> Road:
    vic = place.team.vic
    page = reverse("admin:teams_user_change", args=[vic.pk])
    data = form_at(place.ada, page, is_superuser="on")
    strong = User.objects.filter(pk=vic.pk, is_superuser=True)
    return Road(place.ada, page, data, strong.exists)


def user_added(place: Place) -> Road:
    page = reverse("admin:teams_user_add")
    data = {"email": "new@example.com", "usable_password": "false"}
    made = User.objects.filter(email="new@example.com")
    return Road(place.ada, page, data, made.exists)


def password_of_another(place: Place) -> Road:
    vic = place.team.vic
    page = reverse("admin:auth_user_password_change", args=[vic.pk])
    new = "another long password"
    data = {"password1": new, "password2": new, "usable_password": "true"}
    set_ = lambda: User.objects.get(pk=vic.pk).check_password(new)  # noqa: E731
    return Road(place.ada, page, data, set_)


def policy(place: Place) -> Road:
    acme = place.team.acme
    page = reverse("admin:teams_organization_policy", args=[acme.pk])
    data = form_at(place.team.otto, page, most_alone="3")
    address = reverse("admin:teams_organization_policy_do", args=[acme.pk, "change"])
    done = Policy.objects.filter(organization=acme, most_alone=3).exists
    return Road(place.team.otto, address, data, done)


def policy_approved(place: Place) -> Road:
    acme = place.team.acme
    Policy.objects.filter(organization=acme).delete()
    page = reverse("admin:teams_organization_policy", args=[acme.pk])
    data = form_at(place.team.otto, page, most_alone="400", why="we are many")
    client = Client()
    client.force_login(place.team.otto)
    do = "admin:teams_organization_policy_do"
    client.post(reverse(do, args=[acme.pk, "change"]), data)
    asked = PolicyChange.objects.get()
    done = Policy.objects.filter(organization=acme, most_alone=400).exists
    address = reverse(do, args=[acme.pk, "approve"])
    return Road(place.alan, address, {"digest": asked.digest}, done)


def signed_out_by_another(place: Place) -> Road:
    vic = place.team.vic
    browser_of(vic)
    address = reverse("admin:teams_user_end_do", args=[vic.pk])
    return Road(place.team.otto, address, {}, lambda: not vic.browsers.exists())


def factor_taken_away(place: Place) -> Road:
    vic = place.team.vic
    give_factor(vic)
    address = reverse("admin:teams_user_factor_do", args=[vic.pk])
    gone = lambda: not User.objects.get(pk=vic.pk).recovery_codes.exists()  # noqa: E731
    return Road(place.ada, address, {}, gone)


def factor_begun(place: Place) -> Road:
    user = place.team.vic
    address = reverse("admin:account_factor_begin_do")
    there = lambda: hasattr(User.objects.get(pk=user.pk), "second_factor")  # noqa: E731
    return Road(user, address, {}, there)


def own_row(place: Place) -> OwnProvider:
    made = own(place.team.acme)
    change(made, text(hint=False))
    return made


def own_added(place: Place) -> Road:
    page = reverse("admin:providers_ownprovider_add")
    data = {"organization": place.team.acme.pk, "text": text(), "vouched": HOSTS}
    made = OwnProvider.objects.all()
    return Road(place.team.otto, page, {**data, "why": "ours"}, made.exists)


def own_written(place: Place) -> Road:
    made = own_row(place)
    page = reverse("admin:providers_ownprovider_write", args=[made.pk])
    data = {"text": text(name="New"), "vouched": HOSTS, "why": "new", "seen": 2}
    done = made.versions.filter(number=3).exists
    return Road(place.team.otto, page, data, done)


def own_restored(place: Place) -> Road:
    made = own_row(place)
    page = reverse("admin:providers_ownprovider_version", args=[made.pk])
    data = {"vouched": HOSTS, "why": "back", "seen": 2}
    done = made.versions.filter(number=3).exists
    return Road(place.team.otto, f"{page}?number=1", data, done)


def own_removed(place: Place) -> Road:
    made = own_row(place)
    page = reverse("admin:providers_ownprovider_delete", args=[made.pk])
    gone = OwnProvider.objects.filter(removed_at__isnull=False).exists
    return Road(place.team.otto, page, {"post": "yes"}, gone)


ROADS = {
    "start a revocation": start(RunKind.REVOKE),
    "start a drill": start(RunKind.DRILL),
    "approve a run": approve,
    "start without approval": break_glass,
    "change an organization's secret": organization_secret,
    "change an app's secret": app_secret,
    "remove an app": app_removed,
    "resume a revocation": resumed,
    "add an app": app_added,
    "add an own provider": own_added,
    "change an own provider": own_written,
    "restore an own provider": own_restored,
    "remove an own provider": own_removed,
    "invite a member": member_invited,
    "remove a member": member_removed,
    "remove several members": members_removed,
    "give powers": powers,
    "add a user": user_added,
    "set another's password": password_of_another,
    "change a policy": policy,
    "approve a looser policy": policy_approved,
    "sign a person out": signed_out_by_another,
    "take a second factor away": factor_taken_away,
    "set up a second factor": factor_begun,
}


@pytest.mark.parametrize("name", ROADS)
def test_a_dangerous_act_asks_first_and_is_done_after_that(place, name):
    road = ROADS[name](place)
    client = long_ago(browser_of(road.user))

    asked = client.post(road.address, road.data)

    assert asked.status_code == 403
    assert "Confirm it is you" in asked.content.decode()
    assert not road.done()
    fields = fields_of(asked.content.decode())
    client.post(road.address, {**fields, "confirm_password": PASSWORD})
    assert road.done()

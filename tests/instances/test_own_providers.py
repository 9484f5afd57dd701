"""Runs by records that organizations wrote themselves: from a server's metadata to the dead token."""

import json

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from ceadmin.audit.models import Event
from ceadmin.teams.choices import Answer
from instances import runs
from instances.actions import own_records
from instances.actions.load import callback_address, load_cases
from instances.choices import Outcome, RunKind, RunStatus
from instances.engine import gate
from instances.models import Instance, Item
from providers import own_rules
from providers.limits import Limits
from providers.models import OwnProvider, ProviderApp
from tests.instances.approving import court, now, question, refused
from tests.instances.fleet import only_item
from tests.instances.killing import fleet, killed, quick, revocations
from tests.instances.reconnecting import CLIENT_SECRET, THEIR_CALLBACK
from tests.instances.writing import OTTO, change, saved_by
from tests.people import PASSWORD
from tests.providers.own_records import HOST, own, text
from tests.teams.pages import fields_of

__all__ = ["court", "fleet", "quick"]

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("quick")]
KEY = "own_acme_login"


def register(fleet) -> None:
    """Let the emulator's generic server know the app."""
    client = {"client_id": "c", "client_secret": CLIENT_SECRET}
    where = {"provider": "generic", "redirect_uris": [THEIR_CALLBACK]}
    fleet.emulator.control("clients", {**client, **where})


def app_of(fleet, key: str = KEY, **columns) -> ProviderApp:
    """Return an app of an own provider, with one instance mirrored."""
    register(fleet)
    app = ProviderApp(
        name="Acme Login",
        organization=fleet.organization,
        provider_key=key,
        element_key="generic",
        client_id="c",
        **columns,
    )
    app.client_secret = CLIENT_SECRET
    app.save()
    fleet.seed_element("generic", app)
    fleet.sync()
    return app


# From the metadata to the dead token


def test_a_server_is_asked_saved_and_its_token_revoked_and_seen_dead(
    client, fleet, team
):
    assert client.login(username=team.otto.email, password=PASSWORD)
    asked = client.post(
        reverse("admin:providers_ownprovider_discover"),
        {
            "organization": team.acme.pk,
            "issuer": f"https://{HOST}",
            "name": "Acme Login",
            "elements": "generic",
        },
    )
    assert f"https://{HOST}/oauth/revoke" in asked.content.decode()
    fields = fields_of(asked.content.decode())
    saved = {**fields, "vouched": HOST, "why": "our own server", "act": "save"}
    client.post(reverse("admin:providers_ownprovider_add"), saved)
    key = OwnProvider.objects.get().key
    add = {"organization": team.acme.pk, "name": "Login", "provider_key": key}
    theirs = {"callback_mode": "theirs", "callback_url": THEIR_CALLBACK}
    secret = {"client_id": "c", "client_secret_typed": CLIENT_SECRET}
    register(fleet)
    client.post(
        reverse("admin:providers_providerapp_add"),
        {**add, **theirs, **secret, "site": "{}", "save_anyway": "on"},
    )
    app = ProviderApp.objects.get()
    assert (app.provider_key, app.element_key) == (key, "generic")
    fleet.seed_element("generic", app)
    fleet.sync()

    item = killed(fleet)

    assert item.outcome == Outcome.VERIFIED_DEAD
    assert item.provider_key == key
    [refresh, access] = revocations(fleet)
    assert {refresh["host"], access["host"]} == {HOST}
    truth = fleet.truth(Instance.objects.get())
    assert not truth["refresh_alive"]
    assert not truth["access_alive"]


def test_an_instance_finds_the_own_record_of_its_element(fleet, team):
    own(team.other)  # of another organization: not seen here
    own(team.acme)
    fleet.emulator.control("clients", {"provider": "generic", "client_id": "c"})
    fleet.seed_element("generic", ProviderApp(client_id="c"))
    fleet.sync()

    instance = Instance.objects.get()
    assert instance.provider_key == KEY

    OwnProvider.objects.filter(organization=team.acme).update(removed_at=now())
    fleet.sync()
    instance.refresh_from_db()
    assert instance.provider_key == ""


def test_the_evidence_names_the_version_of_the_record(fleet, team):
    made = own(team.acme)
    change(made, text(hint=False))
    app_of(fleet)

    item = killed(fleet)

    facts = [
        json.loads(event.text)["facts"]
        for event in Event.objects.filter(item_id=item.pk, action="revoke_intended")
    ]
    assert [one["record_version"] for one in facts] == [2, 2]
    [effect] = runs.preview(fleet.draft(RunKind.REVOKE)).effects
    assert effect.provider_name == "Acme Login (own, version 2)"


def test_no_version_is_named_where_the_record_is_the_catalogue_s(fleet):
    fleet.synced("box")

    item = killed(fleet)

    event = Event.objects.get(item_id=item.pk, action="revoke_intended")
    assert "record_version" not in json.loads(event.text)["facts"]


def test_an_item_is_worked_by_the_version_that_is_current_then(fleet, team):
    made = own(team.acme)
    app_of(fleet)
    run = fleet.draft(RunKind.REVOKE)

    change(made, text(order=("access",)))
    runs.start(run, user=fleet.user, now=timezone.now(), reason="a test")
    fleet.work(run)

    assert [row["purpose"] for row in only_item(run).attempts.values("purpose")].count(
        "revoke_access"
    ) == 1
    assert not only_item(run).attempts.filter(purpose="revoke_refresh").exists()


def test_a_share_of_items_reads_the_own_records_once(fleet, team):
    own(team.acme)
    app = app_of(fleet)
    fleet.seed_element("generic", app)
    fleet.sync()
    run = fleet.draft(RunKind.REVOKE)
    items = list(Item.objects.filter(run=run))
    assert len(items) == 2

    with CaptureQueriesContext(connection) as asked:
        cases = load_cases(items, run)

    assert {case.record_version for case in cases.values()} == {1}
    told = [row["sql"] for row in asked.captured_queries]
    assert sum("providers_ownprovider" in sql for sql in told) == 1


@pytest.mark.parametrize("place", ["10.0.0.1", "localhost", "2130706433", "login.corp"])
def test_no_token_leaves_for_a_private_host_that_an_app_names(fleet, team, place):
    part = '[placeholders.server]\nmeaning = "the server"\nkind = "host"\n'
    part += "pattern = '[a-z0-9.]+'\n\n[[sources]]"
    whole = text(
        (f"https://{HOST}/oauth/revoke", "https://{server}/oauth/revoke"),
        ("[[sources]]", part),
    )
    own(team.acme, text=whole)
    app_of(fleet, site={"server": place})

    item = killed(fleet)

    assert (item.outcome, item.cause) == (Outcome.MISCONFIGURED, "bad_host")
    assert "is no public host, so nothing was sent there" in item.explanation
    assert revocations(fleet) == []


def test_the_callback_of_an_own_provider_is_its_organization_s_alone(team):
    own(team.acme)
    own(team.other)

    mine, theirs = (callback_address(KEY, one) for one in (team.acme, team.other))

    assert mine.endswith(f"/oauth/callback/{KEY}-{team.acme.uid.hex}/")
    assert mine != theirs
    assert callback_address("box", team.acme) == callback_address("box", team.other)


def test_hosts_are_remembered_for_the_organization_that_has_the_record():
    a = gate.Gate("revoke", "A", Limits(), None)
    b = gate.Gate("revoke", "B", Limits(), None)

    assert a._known(KEY) != b._known(KEY)
    assert a._known("box") == b._known("box")


# Approvals


def asked_of(court, made) -> runs:
    """Return a draft over instances of an own provider, which Ann approved."""
    run = court.draft(3)
    Instance.objects.update(provider_key=made.key)
    Item.objects.update(provider_key=made.key)
    runs.ask(run, user=court.team.rita, now=now(), reason="Leaked secret")
    court.approve(run)
    return run


def test_an_approval_is_for_the_record_as_it_was(court):
    court.policy(most_alone=0)
    made = own(court.acme)
    run = asked_of(court, made)

    change(made, text(order=("access",)))

    error = refused(court.start, run)
    assert error.code == "record_changed"
    assert "The own record of Acme Login was changed" in error.sentence
    runs.ask(run, user=court.team.rita, now=now())
    court.approve(run)
    court.start(run)
    assert run.status == RunStatus.RUNNING


def test_what_is_asked_about_another_version_cannot_be_approved(court):
    court.policy(most_alone=0)
    made = own(court.acme)
    run = court.draft(3)
    Item.objects.update(provider_key=made.key)
    runs.ask(run, user=court.team.rita, now=now(), reason="Leaked secret")

    change(made, text(order=("access",)))

    assert refused(court.approve, run).code == "changed"
    assert question(run).status == Answer.WAITING


def test_an_approved_run_stops_where_the_record_changes_under_it(court):
    court.policy(most_alone=0)
    made = own(court.acme)
    run = asked_of(court, made)
    court.start(run)

    change(made, text(order=("access",)))
    runs.work(run.pk, worker="test")

    run.refresh_from_db()
    assert run.problem == "not_as_approved"
    assert "an own provider's record" in run.problem_text
    assert not Item.objects.exclude(outcome="").exists()


def test_another_record_of_the_organization_takes_no_approval_away(court):
    court.policy(most_alone=0)
    run = asked_of(court, own(court.acme))
    other = own(court.acme, key="own_other", element_keys=("other",))

    change(other, text(key="own_other", element_keys=("other",), hint=False))
    court.start(run)

    assert run.status == RunStatus.RUNNING


# The acts


def test_of_two_who_change_at_once_one_wins(team):
    made = own(team.acme)
    change(made, text(hint=False))

    with pytest.raises(own_records.OwnError) as lost:
        change(made, text(name="Mine"), seen=1)

    assert lost.value.code == "changed_meanwhile"
    assert made.versions.count() == 2
    assert Event.objects.filter(action="own_provider_changed").count() == 1


def test_a_removed_key_comes_back_with_its_versions(team):
    made = own(team.acme)
    own_records.remove(made, hand=OTTO)

    again = saved_by(own_records.add, team.acme, text(name="Login again"))

    assert (again.pk, again.version) == (made.pk, 2)
    assert again.name == "Login again"
    assert again.versions.count() == 2


def test_an_organization_has_so_many_records_at_most(team, monkeypatch):
    monkeypatch.setattr(own_records, "MOST", 1)
    own(team.acme)

    with pytest.raises(own_records.OwnError, match="1 own records at most"):
        saved_by(own_records.add, team.acme, text(key="own_b", element_keys=()))


# Secrets


def secret_of(app: ProviderApp) -> str:
    app.refresh_from_db()
    return app.client_secret.reveal()


def test_a_version_with_another_address_gets_no_secret_that_was_typed_before(
    fleet, team
):
    made = own(team.acme)
    app = app_of(fleet)
    other = ProviderApp(name="Box", provider_key="box", element_key="box")
    other.organization, other.client_secret = team.acme, CLIENT_SECRET
    other.save()

    change(made, text(hint=False, steps="call Ann"))
    assert secret_of(app) == CLIENT_SECRET
    change(made, text(introspection_url=f"https://{HOST}/look", hint=False))

    assert secret_of(app) == ""
    assert (app.secret_set_at, app.secret_set_by_name) == (None, "")
    assert secret_of(other) == CLIENT_SECRET
    event = Event.objects.filter(action="own_provider_changed").latest("pk")
    assert json.loads(event.text)["facts"]["secrets_forgotten"] == ["Acme Login"]
    assert killed(fleet).cause == "no_client_secret"
    assert revocations(fleet) == []


def test_a_wider_pattern_is_another_address(team):
    def placed(pattern: str) -> str:
        part = '[placeholders.t]\nmeaning = "it"\nkind = "host"\n'
        part += f"pattern = '{pattern}'\n\n[[sources]]"
        whole = text((f"https://{HOST}/oauth/revoke", "https://{t}.example.com/r"))
        return whole.replace("[[sources]]", part, 1)

    narrow, wide = (own_rules.read(placed(one)) for one in ("[a-c]+", "[a-z]+"))

    assert own_rules.places_of(narrow) != own_rules.places_of(wide)

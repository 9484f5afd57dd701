"""Every act with a consequence, done as people do it, is in the audit with all its parts."""

import pytest
from django.db import transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from ceadmin.audit.models import Event
from ceadmin.audit.record import record
from ceadmin.audit.verify import verify
from ceadmin.teams.models import Membership, Policy
from ceadmin.teams.permissions import actor_of
from instances import runs, selection
from instances.choices import RunKind
from instances.models import Instance, ReconnectLink, Run
from providers.models import OwnProvider
from tests.audit.telling import (
    ANN,
    CUSTOMER,
    OTTO,
    REVOKER,
    RITA,
    WHY,
    browser,
    drafted,
    fleet,
    otto,
    press,
    rita,
    told,
)
from tests.instances.killing import quick
from tests.instances.reconnecting import Browser, Waiting, callback_path, waiting
from tests.people import PASSWORD, make_user
from tests.providers.own_records import HOSTS, text

__all__ = ["fleet", "otto", "quick", "rita"]

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("quick")]


def test_a_run_is_drafted_approved_started_paused_and_stopped(fleet, rita, team):
    fleet.synced("box")
    Policy.objects.update(most_alone=0)
    ann = browser(make_user("Ann", team.acme, is_approver=True), ANN)

    run = drafted(rita)
    press(rita, run, "ask", **WHY)
    press(ann, run, "approve", digest=run.approvals.get().digest, note="go")
    press(rita, run, "start")
    press(rita, run, "pause")
    press(rita, run, "resume")
    press(rita, run, "stop")

    assert told("run_drafted", run_uid=run.uid).who == REVOKER
    assert told("run_approved").who == ("Ann", "approver,viewer", ANN)
    for act in ("approval_asked", "run_started", "run_paused", "run_stopped"):
        one = told(act, run_uid=run.uid)
        assert (one.who, one.why) == (REVOKER, WHY), act
        assert one.facts["selection_hash"] == run.selection_hash
        assert one.facts["total"] == 1


def test_a_revocation_is_told_with_everything(fleet, rita):
    (instance,) = fleet.synced("salesforce")
    run = drafted(rita)
    press(rita, run, "start", **WHY)
    fleet.work(run)
    truth = fleet.truth(instance)

    acts = ("revoke_intended", "revoke_answered", "item_settled")
    intended, answered, settled = (told(act) for act in acts)
    for one in (intended, answered, settled):
        assert (one.who, one.why) == (REVOKER, WHY)
        event = one.event
        assert (event.run_uid, event.instance_uid, event.provider_key) == (
            str(run.uid),
            str(instance.uid),
            "salesforce",
        )
        assert event.subject_name == instance.name
    instance.refresh_from_db()
    assert intended.facts["grant"] == instance.grant_fingerprint
    assert intended.facts["grant"].startswith("demo1:")
    assert intended.facts["method"] == "POST"
    assert intended.facts["to"].endswith("salesforce.com/services/oauth2/revoke")
    assert (answered.facts["state"], answered.facts["status"]) == ("answered", 200)
    assert answered.facts["duration_ms"] >= 0
    assert settled.event.outcome == "verified_dead"
    assert (settled.facts["source"], settled.facts["platform"]) == ("dead", "dead")
    assert truth["refresh_alive"] is False
    assert told("status_changed").facts["to"] == "revoked"
    finished = told("run_finished", run_uid=run.uid)
    assert (finished.who, finished.why) == (REVOKER, WHY)


def test_a_refusal_keeps_the_provider_s_code_and_no_secret(fleet, rita):
    fleet.synced("box")
    fleet.app("box").client_secret = "wrong-secret"
    fleet.app("box").save()
    run = drafted(rita)
    press(rita, run, "start", **WHY)
    fleet.work(run)

    answered = told("revoke_answered")

    assert answered.facts["status"] in (400, 401)
    assert answered.facts["code"] == "invalid_client"
    assert "invalid_client" in answered.facts["excerpt"]
    assert told("item_settled").event.outcome == "refused"
    assert "wrong-secret" not in "".join(Event.objects.values_list("text", flat=True))


def test_an_own_provider_is_told_from_its_addition_to_its_removal(otto, team):
    name = "admin:providers_ownprovider"
    add = {"organization": team.acme.pk, "text": text(), "vouched": HOSTS}
    otto.post(reverse(f"{name}_add"), {**add, "why": WHY["reason"]})
    made = OwnProvider.objects.get()
    new = {"text": text(hint=False), "vouched": HOSTS, "why": "no hint", "seen": 1}
    otto.post(reverse(f"{name}_write", args=[made.pk]), new)
    back = {"vouched": HOSTS, "why": "a hint", "seen": 2}
    otto.post(f"{reverse(f'{name}_version', args=[made.pk])}?number=1", back)
    otto.post(reverse(f"{name}_delete", args=[made.pk]), {"post": "yes"})

    reasons = {"added": WHY["reason"], "changed": "no hint", "restored": "a hint"}
    for number, (act, reason) in enumerate([*reasons.items(), ("removed", "")]):
        one = told(f"own_provider_{act}", subject_uid=made.uid)
        assert one.who == ("Otto", "owner,viewer", OTTO), act
        assert (one.event.provider_key, one.event.reason) == (made.key, reason)
        assert one.facts["record_version"] == min(number + 1, 3)
    facts = told("own_provider_added").facts
    assert facts["hosts"] == HOSTS
    assert facts["record_digest"] == made.versions.get(number=1).digest
    assert told("own_provider_restored").facts["restored_version"] == 1


def test_a_reconnection_is_told_from_the_link_to_the_end(fleet, emulator, rita):
    fleet.synced("box", state="dead")
    Instance.objects.update(status="needs_reauth")
    run = drafted(rita, RunKind.RECONNECT)
    fleet.work(run)
    link = ReconnectLink.objects.get()
    person = Browser()
    person.client = Client(REMOTE_ADDR=CUSTOMER)
    person.reconnect(Waiting(emulator, link, int(link.instance.remote_id), "box"))

    made = told("link_made")
    assert made.who == REVOKER
    assert made.event.instance_uid == str(link.instance.uid)
    for act in ("link_opened", "link_consented", "link_finished"):
        one = told(act)
        assert one.who == ("customer", "", CUSTOMER), act
        assert one.event.instance_uid == str(link.instance.uid)
    assert told("link_finished").event.outcome == "reconnected"


@pytest.mark.parametrize(
    ("form", "outcome"),
    [({"decision": "deny"}, "denied"), ({"account": "other"}, "wrong_account")],
)
def test_a_reconnection_that_fails_is_told(emulator, team, form, outcome):
    case = waiting(emulator, team.acme)
    Instance.objects.update(account="229876543")
    person = Browser()
    person.client = Client(REMOTE_ADDR=CUSTOMER)

    person.reconnect(case, **form)

    one = told("link_refused")
    assert (one.event.outcome, one.who) == (outcome, ("customer", "", CUSTOMER))
    assert one.event.provider_key == "box"


def test_a_callback_that_belongs_to_nothing_is_told(db):
    Client(REMOTE_ADDR=CUSTOMER).get(callback_path("box", code="x", state="y"))

    one = told("callback_refused")
    assert (one.who[2], one.event.provider_key) == (CUSTOMER, "box")
    assert '"x"' not in one.event.text


def test_a_probe_is_told_only_where_a_status_changes(fleet, rita):
    (instance,) = fleet.synced("box")
    for _ in range(2):
        fleet.work(drafted(rita, RunKind.PROBE))

    changed = told("status_changed")

    assert (changed.facts["from"], changed.facts["to"]) == ("unknown", "connected")
    assert changed.who == REVOKER
    assert changed.event.instance_uid == str(instance.uid)


def test_what_nobody_asked_for_is_the_schedule_s(fleet):
    fleet.synced("box")
    run = Run.objects.create(
        organization=fleet.organization, kind=RunKind.PROBE, created_at=timezone.now()
    )
    Run.objects.filter(pk=run.pk).update(
        selection=selection.everything(), status="planning"
    )
    runs.plan(run.pk, now=timezone.now())
    run.refresh_from_db()
    fleet.work(run)

    for event in Event.objects.filter(run_uid=run.uid):
        assert event.actor_kind == "schedule", event.action


def test_members_and_policies_are_told(fleet, team, otto):
    membership = Membership.objects.get(user=team.vic)
    page = reverse("admin:teams_membership_change", args=[membership.pk])
    gone = reverse("admin:teams_membership_delete", args=[membership.pk])
    policy = reverse(
        "admin:teams_organization_policy_do", args=[team.acme.pk, "change"]
    )

    otto.post(
        "/admin/teams/invitation/add/",
        {
            "organization": team.acme.pk,
            "email": "new@example.com",
            "roles": ["revoker"],
        },
    )
    otto.post(page, {"is_auditor": "on"})
    otto.post(gone, {"post": "yes"})
    otto.post(
        policy, {"most_alone": "3", "production_tags": "eu", "approval_hours": "4"}
    )

    owner = ("Otto", "owner,viewer", OTTO)
    for act in ("member_invited", "member_changed", "member_removed", "policy_changed"):
        assert told(act).who == owner, act
    assert told("member_changed").facts["after"] == ["auditor", "viewer"]


def test_a_changed_secret_is_told_and_never_kept(fleet, team, otto):
    held = {
        name: getattr(team.acme, name)
        for name in ("name", "base_url", "reauthenticate_by", "link_lifetime_hours")
    }
    page = reverse("admin:teams_organization_change", args=[team.acme.pk])

    otto.post(page, {**held, "user_secret_typed": "typed-Q7x", "save_anyway": "on"})

    one = told("secret_changed")
    assert one.who == ("Otto", "owner,viewer", OTTO)
    assert "typed-Q7x" not in one.event.text


def test_exports_and_reads_of_the_audit_are_told(team):
    Membership.objects.filter(user=team.vic).update(is_auditor=True)
    rita = actor_of(team.rita, team.acme)
    with transaction.atomic():
        record("run_paused", chain=team.acme.chain, actor=rita, at=timezone.now())
    vic = browser(team.vic, RITA)

    vic.get("/admin/audit/event/?chain=" + team.acme.chain)
    vic.get("/admin/audit/event/export/csv/")

    read = told("audit_read")
    assert read.who == ("Vic", "auditor,viewer", RITA)
    exported = told("audit_exported")
    assert exported.who == ("Vic", "auditor,viewer", RITA)
    assert exported.event.chain == team.acme.chain


def test_a_list_of_instances_that_is_taken_out_is_told(fleet, rita):
    fleet.synced("box", 2)

    rita.get(reverse("admin:instances_instance_export") + "?provider=box")

    one = told("list_exported")
    assert (one.who, one.event.chain) == (REVOKER, fleet.organization.chain)
    assert (one.facts["rows"], one.facts["narrowed_by"]) == (2, ["provider=box"])


def test_signing_in_and_being_refused_is_told(team):
    Client(REMOTE_ADDR=RITA).login(username=team.rita.email, password=PASSWORD)
    browser(team.rita, RITA)
    page = Client(REMOTE_ADDR=CUSTOMER)
    page.post("/admin/login/", {"username": team.rita.email, "password": "wrong"})

    refused = told("sign_in_refused")

    assert refused.event.subject_uid == str(team.rita.uid)
    assert refused.who[2] == CUSTOMER
    assert Event.objects.filter(action="signed_in").exists()


def test_the_chain_of_all_that_is_whole(fleet, rita):
    fleet.synced("box", 2)
    run = drafted(rita)
    press(rita, run, "start", **WHY)
    fleet.work(run)

    assert verify() == []
    assert Event.objects.count() > 8

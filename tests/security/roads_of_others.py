"""Roads to approvals, the audit, and what owners look after: see `tests.security.roads`."""

from __future__ import annotations

import uuid

from django.utils import timezone

from ceadmin.audit.models import Event
from ceadmin.teams import policies
from ceadmin.teams.models import Invitation, Membership, Policy, PolicyChange, User
from ceadmin.teams.permissions import NotAllowed
from ceadmin.teams.policies import Asker
from ceadmin.teams.terms import Terms
from instances import runs
from instances.models import Approval
from providers.models import EnabledProvider, Limit, ProviderApp
from tests.security.roads import Place, need_approval, road
from tests.teams.inviting import invited

# approve or refuse runs and loosened policies

approve = road("approve")


def asked(place: Place) -> Approval:
    """Return a question of Rita's."""
    need_approval(place)
    run = place.draft()
    return runs.ask(run, user=place.team.rita, now=timezone.now(), reason="a test")


def loosened(place: Place) -> PolicyChange:
    """Return a looser policy that Otto asked for."""
    wanted = Terms(None, frozenset(), frozenset({"test", "sandbox"}), 24)
    by = Asker(place.team.otto, timezone.now())
    made = policies.change(place.team.acme, wanted, why="a test", by=by)
    assert made is not None
    return made


@approve
def approve_button(place: Place) -> bool:
    one = asked(place)
    place.post(f"instances/run/{one.run_id}/do/approve/", digest=one.digest)
    return Approval.objects.get().status == "approved"


@approve
def refuse_button(place: Place) -> bool:
    one = asked(place)
    place.post(f"instances/run/{one.run_id}/do/refuse/", why="not today")
    return Approval.objects.get().status == "refused"


@approve
def approve_a_policy_button(place: Place) -> bool:
    one, pk = loosened(place), place.team.acme.pk
    place.post(f"teams/organization/{pk}/policy/approve/", digest=one.digest)
    return PolicyChange.objects.get().status == "approved"


@approve
def refuse_a_policy_button(place: Place) -> bool:
    loosened(place)
    pk = place.team.acme.pk
    place.post(f"teams/organization/{pk}/policy/refuse/", why="not today")
    return PolicyChange.objects.get().status == "refused"


@approve
def an_answer_from_the_code(place: Place) -> bool:
    one = asked(place)
    try:
        runs.approve(one.run, user=place.user, now=timezone.now(), digest=one.digest)
    except NotAllowed:
        return False
    return Approval.objects.get().status == "approved"


# read, export, verify the audit

audit = road("read")


@audit
def list_of_events(place: Place) -> bool:
    return place.shows("audit/event/", "A run was started.")


@audit
def page_of_an_event(place: Place) -> bool:
    event = Event.objects.filter(chain=place.team.acme.chain).earliest("pk")
    return place.shows(f"audit/event/{event.pk}/change/", event.hash)


@audit
def history_of_an_instance(place: Place) -> bool:
    page = f"/admin/instances/instance/{place.instance.pk}/history/"
    answer = place.client.get(page)
    return answer.status_code == 302 and "audit/event" in answer["Location"]


@audit
def command_export(place: Place) -> bool:
    file = place.folder / f"{uuid.uuid4().hex}.jsonl"
    code = place.command("export_audit", str(file), "--organization", "acme")
    return code == 0 and place.team.acme.chain in file.read_text()


# members, secrets, provider apps, policies, own providers

own = road("members")


def place_of(user: User) -> Membership:
    return Membership.objects.get(user=user)


@own
def change_roles_button(place: Place) -> bool:
    page = f"teams/membership/{place_of(place.team.vic).pk}/change/"
    place.post(page, is_operator="on")
    return place_of(place.team.vic).is_operator


@own
def remove_member_button(place: Place) -> bool:
    pk = place_of(place.team.vic).pk
    place.post(f"teams/membership/{pk}/delete/", post="yes")
    return not Membership.objects.filter(pk=pk).exists()


@own
def remove_members_ticked(place: Place) -> bool:
    pk = place_of(place.team.vic).pk
    data = {"action": "delete_selected", "_selected_action": pk, "post": "yes"}
    place.post("teams/membership/", **data)
    return not Membership.objects.filter(pk=pk).exists()


@own
def invite_button(place: Place) -> bool:
    pk = place.team.acme.pk
    place.post("teams/invitation/add/", organization=pk, email="nell@example.com")
    return Invitation.objects.exists()


@own
def withdraw_invitation_button(place: Place) -> bool:
    made, _path = invited(place.team.otto, place.team.acme, "nell@example.com")
    place.post(f"teams/invitation/{made.pk}/do/withdraw/")
    return Invitation.objects.get().status == "withdrawn"


def organization_form(**values: str) -> dict[str, str]:
    """Return what the page of an organization posts."""
    fixed = {"name": "Acme", "base_url": "https://api.cloud-elements.com"}
    more = {"reauthenticate_by": "patch_instances", "link_lifetime_hours": "72"}
    return {**fixed, **more, **values}


@own
def set_a_secret(place: Place) -> bool:
    before = place.team.acme.secrets_set_at
    page = f"teams/organization/{place.team.acme.pk}/change/"
    place.post(page, **organization_form(user_secret_typed="other", save_anyway="on"))
    place.team.acme.refresh_from_db()
    return place.team.acme.secrets_set_at != before


@own
def add_a_provider_app(place: Place) -> bool:
    form = {
        "organization": place.team.acme.pk,
        "name": "Another",
        "provider_key": "box",
        "element_key": "box",
        "client_id": "another",
        "callback_mode": "ours",
        "site": "{}",
    }
    place.post("providers/providerapp/add/", **form)
    return ProviderApp.objects.filter(name="Another").exists()


@own
def remove_a_provider_app(place: Place) -> bool:
    pk = place.fleet.app("salesforce").pk
    place.post(f"providers/providerapp/{pk}/delete/", post="yes")
    return not ProviderApp.objects.filter(pk=pk).exists()


@own
def switch_a_provider_on(place: Place) -> bool:
    form = {"provider_key": "atlassian", "understood": "on"}
    page = "providers/enabledprovider/add/"
    place.post(page, organization=place.team.acme.pk, **form)
    return EnabledProvider.objects.exists()


@own
def switch_a_provider_off(place: Place) -> bool:
    row = EnabledProvider.objects.create(
        organization=place.team.acme,
        provider_key="atlassian",
        enabled_at=timezone.now(),
        enabled_by_name="Otto",
    )
    place.post(f"providers/enabledprovider/{row.pk}/delete/", post="yes")
    return not EnabledProvider.objects.exists()


@own
def set_a_limit(place: Place) -> bool:
    form = {"scope": "provider", "provider_key": "box", "rate": "5"}
    place.post("providers/limit/add/", organization=place.team.acme.pk, **form)
    return Limit.objects.exists()


@own
def tighten_the_policy(place: Place) -> bool:
    page = f"teams/organization/{place.team.acme.pk}/policy/change/"
    form = {"most_alone": "3", "test_tags": "test", "approval_hours": "24"}
    place.post(page, **form)
    return Policy.objects.get().most_alone == 3

"""Roads around the second person, and to what stands beside the buttons: see `tests.security.roads`."""

from __future__ import annotations

from django.utils import timezone

from ceadmin.teams import policies
from ceadmin.teams.models import Invitation, PolicyChange
from ceadmin.teams.permissions import NotAllowed
from ceadmin.teams.policies import Asker
from instances import runs
from instances.choices import Outcome, PartStatus, RunKind, RunStatus
from instances.models import Approval, BrokenGlass, Item, Part, Run
from providers.models import Limit
from tests.people import make_user
from tests.security.roads import Place, need_approval, status_of
from tests.security.roads_of_operators import see
from tests.security.roads_of_others import (
    approve,
    asked,
    audit,
    loosened,
    organization_form,
    own,
)
from tests.security.roads_of_revokers import revoke
from tests.teams.inviting import invited
from tests.teams.pages import fields_of

# see instances, runs, links


@see
def the_policy(place: Place) -> bool:
    pk = place.team.acme.pk
    return place.shows(f"teams/organization/{pk}/policy/", "Approval policy")


@see
def an_item_of_a_run(place: Place) -> bool:
    item = Item.objects.get(run=place.fleet.run(RunKind.PROBE))
    return place.shows(f"instances/item/{item.pk}/change/", place.instance.name)


# draft, start, pause, stop revocations and drills


@revoke
def withdraw_button(place: Place) -> bool:
    one = asked(place)
    place.post(f"instances/run/{one.run_id}/do/withdraw/")
    return Approval.objects.get().status == "withdrawn"


def failed(place: Place) -> Run:
    """Return a revocation of Rita's that a provider refused."""
    run = place.started()
    ended = {"outcome": Outcome.REFUSED, "finished_at": timezone.now()}
    Item.objects.filter(run=run).update(status="done", **ended)
    runs.finish_if_done(run, timezone.now())
    return run


@revoke
def retry_button(place: Place) -> bool:
    run = failed(place)
    place.post(f"instances/run/{run.pk}/do/retry/")
    return place.theirs(RunKind.REVOKE)


@revoke
def command_retry(place: Place) -> bool:
    run = failed(place)
    place.command("runs", str(run.uid), "--retry")
    return place.theirs(RunKind.REVOKE)


@revoke
def command_how_many_calls(place: Place) -> bool:
    run = place.started()
    place.command("runs", str(run.uid), "--connections", "3")
    return Run.objects.get(pk=run.pk).connections == 3


def held(place: Place) -> Part:
    """Return the part of a run of Rita's whose provider is held."""
    run = place.started()
    Part.objects.filter(run=run).update(status=PartStatus.HELD)
    return Part.objects.get(run=run)


@revoke
def go_on_button(place: Place) -> bool:
    part = held(place)
    page = f"instances/run/{part.run_id}/do/go-on/"
    place.post(page, provider=part.provider_key)
    return Part.objects.get(pk=part.pk).status == PartStatus.OPEN


@revoke
def command_go_on(place: Place) -> bool:
    part = held(place)
    place.command("runs", str(part.run.uid), "--go-on", part.provider_key)
    return Part.objects.get(pk=part.pk).status == PartStatus.OPEN


@revoke
def leave_out_button(place: Place) -> bool:
    part = held(place)
    page = f"instances/run/{part.run_id}/do/leave-out/"
    place.post(page, provider=part.provider_key)
    return Part.objects.get(pk=part.pk).status == PartStatus.LEFT_OUT


@revoke
def command_leave_out(place: Place) -> bool:
    part = held(place)
    place.command("runs", str(part.run.uid), "--leave-out", part.provider_key)
    return Part.objects.get(pk=part.pk).status == PartStatus.LEFT_OUT


# approve or refuse runs and loosened policies


def broken(place: Place) -> Run:
    """Return a run of Rita's that another owner started without approval."""
    need_approval(place)
    run, orla = place.draft(), make_user("Orla", place.team.acme, is_owner=True)
    runs.break_glass(run, user=orla, now=timezone.now(), why="it burns")
    return run


@approve
def review_button(place: Place) -> bool:
    run = broken(place)
    place.post(f"instances/run/{run.pk}/do/review/", note="it was right")
    return BrokenGlass.objects.get().reviewed_by == place.user


@approve
def review_from_the_code(place: Place) -> bool:
    run, note = broken(place), "it was right"
    try:
        runs.review(run, user=place.user, now=timezone.now(), note=note)
    except NotAllowed:
        return False
    return BrokenGlass.objects.get().reviewed_by == place.user


@approve
def refusal_from_the_code(place: Place) -> bool:
    one = asked(place)
    try:
        runs.refuse(one.run, user=place.user, now=timezone.now(), why="not today")
    except NotAllowed:
        return False
    return Approval.objects.get().status == "refused"


@approve
def a_policy_approved_from_the_code(place: Place) -> bool:
    one = loosened(place)
    try:
        by = Asker(place.user, timezone.now())
        policies.approve(one, digest=one.digest, by=by)
    except NotAllowed:
        return False
    return PolicyChange.objects.get().status == "approved"


# read, export, verify the audit


@audit
def file_of_lines(place: Place) -> bool:
    return place.shows("audit/event/export/jsonl/", '"run_started"')


@audit
def file_of_cells(place: Place) -> bool:
    return place.shows("audit/event/export/csv/", "run_started")


@audit
def receipt_of_a_revocation(place: Place) -> bool:
    run = place.fleet.run(RunKind.REVOKE)
    page = f"audit/event/receipt/{place.instance.uid}/{run.uid}/"
    return place.shows(page, "manage.py verify_audit")


@audit
def what_was_done_with_a_run(place: Place) -> bool:
    run = place.fleet.run(RunKind.PROBE)
    page = f"instances/run/{run.pk}/change/"
    return place.shows(page, "What was done with it")


# members, secrets, provider apps, policies, own providers


@own
def break_glass_button(place: Place) -> bool:
    need_approval(place)
    run = place.draft()
    place.post(f"instances/run/{run.pk}/do/break-glass/", why="it burns")
    return status_of(run) == RunStatus.RUNNING


@own
def break_glass_from_the_code(place: Place) -> bool:
    need_approval(place)
    run = place.draft()
    try:
        runs.break_glass(run, user=place.user, now=timezone.now(), why="it burns")
    except NotAllowed:
        return False
    return status_of(run) == RunStatus.RUNNING


@own
def ask_for_a_looser_policy(place: Place) -> bool:
    page = f"teams/organization/{place.team.acme.pk}/policy/change/"
    form = {"test_tags": "test, sandbox", "approval_hours": "24", "why": "a test"}
    place.post(page, **form)
    return PolicyChange.objects.exists()


@own
def withdraw_a_looser_policy(place: Place) -> bool:
    loosened(place)
    place.post(f"teams/organization/{place.team.acme.pk}/policy/withdraw/")
    return PolicyChange.objects.get().status == "withdrawn"


@own
def rename_the_organization(place: Place) -> bool:
    page = f"teams/organization/{place.team.acme.pk}/change/"
    place.post(page, **organization_form(name="Emca"))
    place.team.acme.refresh_from_db()
    return place.team.acme.name == "Emca"


@own
def change_a_provider_app(place: Place) -> bool:
    app = place.fleet.app("salesforce")
    page = f"providers/providerapp/{app.pk}/change/"
    form = fields_of(place.client.get(f"/admin/{page}").content.decode())
    fixed = {"name": "Renamed", "callback_mode": app.callback_mode, "site": "{}"}
    place.post(page, **(form | fixed))
    app.refresh_from_db()
    return app.name == "Renamed"


@own
def take_a_limit_away(place: Place) -> bool:
    one = Limit.objects.create(
        organization=place.team.acme, scope="provider", provider_key="box", rate=5
    )
    place.post(f"providers/limit/{one.pk}/delete/", post="yes")
    return not Limit.objects.exists()


@own
def renew_an_invitation(place: Place) -> bool:
    made, _path = invited(place.team.otto, place.team.acme, "nell@example.com")
    before = Invitation.objects.values().get()
    place.post(f"teams/invitation/{made.pk}/do/renew/")
    return Invitation.objects.values().get() != before

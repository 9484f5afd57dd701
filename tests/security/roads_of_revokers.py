"""Roads to revocations and drills: see `tests.security.roads`."""

from __future__ import annotations

from ceadmin.teams.choices import Role
from instances.choices import RunKind, RunStatus
from instances.models import Approval, Run
from tests.security.roads import (
    Place,
    need_approval,
    road,
    status_of,
    ticked,
    worked,
)

# draft, start, pause, stop revocations and drills

revoke = road("draft")


@revoke
def revoke_button(place: Place) -> bool:
    place.post(f"instances/instance/{place.instance.pk}/act/revoke/")
    return place.theirs(RunKind.REVOKE)


@revoke
def revoke_ticked(place: Place) -> bool:
    ticked(place, "revoke")
    return place.theirs(RunKind.REVOKE)


@revoke
def command_revoke(place: Place) -> bool:
    words = ("run", "revoke", "--all", "--organization", "acme", "--reason", "why")
    return place.command(*words) == 0 and place.theirs(RunKind.REVOKE)


@revoke
def drill_button(place: Place) -> bool:
    place.post(f"instances/instance/{place.instance.pk}/act/drill/")
    return place.theirs(RunKind.DRILL)


@revoke
def drill_ticked(place: Place) -> bool:
    ticked(place, "drill")
    return place.theirs(RunKind.DRILL)


@revoke
def command_drill(place: Place) -> bool:
    words = ("drill", place.instance.remote_id, "--reason", "a test")
    return place.command(*words) == 0 and place.theirs(RunKind.DRILL)


@revoke
def start_button(place: Place) -> bool:
    run = place.draft()
    place.post(f"instances/run/{run.pk}/do/start/", reason="a test")
    return status_of(run) == RunStatus.RUNNING


@revoke
def discard_button(place: Place) -> bool:
    run = place.draft()
    place.post(f"instances/run/{run.pk}/do/discard/")
    return status_of(run) == RunStatus.EXPIRED


@revoke
def pause_button(place: Place) -> bool:
    run = place.started()
    place.post(f"instances/run/{run.pk}/do/pause/")
    return status_of(run) == RunStatus.PAUSED


@revoke
def command_pause(place: Place) -> bool:
    run = place.started()
    place.command("runs", str(run.uid), "--pause")
    return status_of(run) == RunStatus.PAUSED


@revoke
def resume_button(place: Place) -> bool:
    run = place.paused()
    place.post(f"instances/run/{run.pk}/do/resume/")
    return status_of(run) == RunStatus.RUNNING


@revoke
def command_resume(place: Place) -> bool:
    run = place.paused()
    place.command("runs", str(run.uid), "--resume")
    return status_of(run) == RunStatus.RUNNING


@revoke
def stop_button(place: Place) -> bool:
    run = place.started()
    place.post(f"instances/run/{run.pk}/do/stop/")
    return status_of(run) == RunStatus.STOPPING


@revoke
def command_stop(place: Place) -> bool:
    run = place.started()
    place.command("runs", str(run.uid), "--stop")
    return status_of(run) == RunStatus.STOPPING


@revoke
def how_many_calls_button(place: Place) -> bool:
    run = place.started()
    place.post(f"instances/run/{run.pk}/do/connections/", connections="3")
    return Run.objects.get(pk=run.pk).connections == 3


@revoke
def ask_for_approval_button(place: Place) -> bool:
    need_approval(place)
    run = place.draft()
    place.post(f"instances/run/{run.pk}/do/ask/", reason="a test")
    return Approval.objects.filter(run=run, status="waiting").exists()


@revoke
def the_job_of_a_revocation(place: Place) -> bool:
    return worked(place, RunKind.REVOKE, Role.REVOKER)


@revoke
def the_job_of_a_drill(place: Place) -> bool:
    return worked(place, RunKind.DRILL, Role.REVOKER)

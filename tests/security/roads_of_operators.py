"""Roads to seeing, operating and drills on tests: see `tests.security.roads`."""

from __future__ import annotations

from ceadmin.teams.choices import Role
from instances.choices import RunKind, RunStatus
from instances.models import ReconnectLink
from tests.security.roads import Place, road, status_of, ticked, worked
from tests.security.roads_of_revokers import command_drill

# see instances, runs, links

see = road("see")


@see
def list_of_instances(place: Place) -> bool:
    return place.shows("instances/instance/", place.instance.name)


@see
def page_of_an_instance(place: Place) -> bool:
    return place.shows(
        f"instances/instance/{place.instance.pk}/change/", place.instance.name
    )


@see
def pages_of_a_run(place: Place) -> bool:
    run = place.fleet.run(RunKind.PROBE)
    pages = ("change/", "live.json", "items.csv")
    codes = {
        place.client.get(f"/admin/instances/run/{run.pk}/{page}").status_code
        for page in pages
    }
    return codes == {200} and place.shows("instances/run/", f"/run/{run.pk}/change/")


@see
def pages_of_links(place: Place) -> bool:
    page = f"instances/reconnectlink/{place.link().pk}/change/"
    name = place.instance.name
    return place.shows(page, name) and place.shows("instances/reconnectlink/", name)


@see
def search(place: Place) -> bool:
    return place.shows(f"search/?q={place.instance.remote_id}", place.instance.name)


@see
def command_runs(place: Place) -> bool:
    run = place.fleet.run(RunKind.PROBE)
    return place.command("runs", str(run.uid)) == 0


# sync, probe, make and cancel reconnect links, drill on instances tagged as test

operate = road("sync")


@operate
def sync_button(place: Place) -> bool:
    place.post(f"teams/organization/{place.team.acme.pk}/sync/")
    return place.theirs(RunKind.SYNC)


@operate
def sync_ticked(place: Place) -> bool:
    pk = place.team.acme.pk
    place.post("teams/organization/", action="sync", _selected_action=pk)
    return place.theirs(RunKind.SYNC)


@operate
def command_sync(place: Place) -> bool:
    return place.command("sync", "acme") == 0 and place.theirs(RunKind.SYNC)


@operate
def probe_button(place: Place) -> bool:
    place.post(f"instances/instance/{place.instance.pk}/act/probe/")
    return place.theirs(RunKind.PROBE)


@operate
def probe_ticked(place: Place) -> bool:
    ticked(place, "probe")
    return place.theirs(RunKind.PROBE)


@operate
def command_probe(place: Place) -> bool:
    code = place.command("run", "probe", "--organization", "acme")
    return code == 0 and place.theirs(RunKind.PROBE)


@operate
def links_button(place: Place) -> bool:
    place.post(f"instances/instance/{place.instance.pk}/act/reconnect/")
    return place.theirs(RunKind.RECONNECT)


@operate
def links_ticked(place: Place) -> bool:
    ticked(place, "reauthenticate")
    return place.theirs(RunKind.RECONNECT)


@operate
def command_links(place: Place) -> bool:
    code = place.command("run", "reconnect", "--organization", "acme")
    return code == 0 and place.theirs(RunKind.RECONNECT)


@operate
def cancel_link_button(place: Place) -> bool:
    link = place.link()
    place.post(f"instances/reconnectlink/{link.pk}/do/cancel/")
    return ReconnectLink.objects.get().status == "cancelled"


@operate
def cancel_link_ticked(place: Place) -> bool:
    pk = place.link().pk
    place.post("instances/reconnectlink/", action="cancel", _selected_action=pk)
    return ReconnectLink.objects.get().status == "cancelled"


@operate
def cancel_link_on_the_paste_page(place: Place) -> bool:
    link = place.link()
    place.client.post(f"/reconnect-links/{link.uid}/paste/", {"act": "cancel"})
    return ReconnectLink.objects.get().status == "cancelled"


@operate
def addresses_of_links(place: Place) -> bool:
    run = place.link().item.run
    answer = place.client.get(f"/admin/instances/run/{run.pk}/links.csv")
    return answer.status_code == 200


@operate
def the_job_of_a_probe(place: Place) -> bool:
    return worked(place, RunKind.PROBE, Role.OPERATOR)


@operate
def the_job_that_makes_links(place: Place) -> bool:
    return worked(place, RunKind.RECONNECT, Role.OPERATOR)


# drill on instances tagged as test: a revoker's, too, since any drill is

drill = road("drill")


@drill
def drill_on_a_test_button(place: Place) -> bool:
    place.tag()
    place.post(f"instances/instance/{place.instance.pk}/act/drill/")
    return place.theirs(RunKind.DRILL)


@drill
def drill_on_a_test_ticked(place: Place) -> bool:
    place.tag()
    ticked(place, "drill")
    return place.theirs(RunKind.DRILL)


@drill
def start_a_drill_on_a_test(place: Place) -> bool:
    place.tag()
    run = place.fleet.draft(RunKind.DRILL)
    place.post(f"instances/run/{run.pk}/do/start/", reason="a test")
    return status_of(run) == RunStatus.RUNNING


@drill
def command_drill_on_a_test(place: Place) -> bool:
    place.tag()
    return command_drill(place)


@drill
def the_job_of_a_drill_on_a_test(place: Place) -> bool:
    place.tag()
    return worked(place, RunKind.DRILL, Role.REVOKER)

"""`manage.py runs` lists what a person may see."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from ceadmin.teams.models import Membership
from instances import runs
from instances.choices import Outcome, PartStatus, RunKind, RunStatus
from instances.engine import claim, release
from instances.models import Run
from tests.commands.conftest import manage
from tests.instances.crowds import end_items, make_run
from tests.instances.parting import crowd, end, part, started, worker

RITA = ("--as", "rita@example.com")


@pytest.fixture
def paused(fleet):
    """Return a revocation that paused because Box answered wrongly."""
    crowd(fleet, box=60)
    run = started(fleet, RunKind.REVOKE)
    chunk, items = claim(run, "one")
    end(worker(run), items, Outcome.REFUSED, cause="invalid_client")
    release(chunk)
    return run


def test_runs_are_listed_newest_first(fleet):
    fleet.synced()
    fleet.run(RunKind.PROBE)

    ended = manage("runs", "--as", "vic@example.com")

    words = [line.split()[4] for line in ended.text.splitlines()]
    assert words == ["probe", "sync"]


def test_a_limit_and_an_organization_narrow_the_list(fleet):
    fleet.synced()
    fleet.run(RunKind.PROBE)
    who = ("--as", "vic@example.com", "--json")

    ended = manage("runs", *who, "--organization", "acme", "--limit", "1")

    assert [run["kind"] for run in ended.json] == ["probe"]


def test_other_people_s_runs_are_not_there(fleet):
    fleet.sync()

    ended = manage("runs", "--as", "eve@example.com")

    assert Run.objects.count() == 1
    assert ended.text == "No runs yet.\n"


def test_an_organization_of_others_is_unknown(fleet):
    ended = manage("runs", "--as", "eve@example.com", "--organization", "acme")

    assert ended.code == 2


# One run


def test_a_held_provider_is_shown_with_what_to_type(paused):
    ended = manage("runs", str(paused.uid)[:8], *RITA)

    assert "Box is held: 5 of the first 5" in ended.text
    short = str(paused.uid)[:8]
    assert f"manage.py runs {short} --go-on box or --leave-out box" in ended.text


def test_a_held_provider_goes_on(paused):
    ended = manage("runs", str(paused.uid), *RITA, "--go-on", "box", "--json")

    assert (ended.code, ended.json["status"]) == (0, RunStatus.RUNNING)
    assert part(paused, "box").status == PartStatus.OPEN


def test_a_held_provider_is_left_out(paused):
    ended = manage("runs", str(paused.uid), *RITA, "--leave-out", "box", "--json")

    assert (ended.code, ended.json["status"]) == (0, RunStatus.FINISHED)
    assert ended.json["outcomes"] == {"refused": 5, "cancelled": 55}


def test_a_decision_that_nobody_asked_for_is_refused(paused):
    ended = manage("runs", str(paused.uid), *RITA, "--go-on", "salesforce")

    assert ended.code == 1
    assert "salesforce" in ended.error


def test_who_may_not_revoke_decides_nothing(paused):
    ended = manage(
        "runs", str(paused.uid), "--as", "olga@example.com", "--leave-out", "box"
    )

    assert ended.code == 3
    assert part(paused, "box").status == PartStatus.HELD


def test_connections_are_said_at_the_beginning_and_changed_later(fleet):
    crowd(fleet, box=1)
    where = ("--organization", "acme")

    begun = manage("run", "probe", *where, *RITA, "--connections", "9", "--json")
    assert begun.json["connections"] == 9
    changed = manage("runs", begun.json["run"], *RITA, "--connections", "90", "--json")
    refused = manage("runs", begun.json["run"], *RITA, "--connections", "0")

    assert changed.json["connections"] == 90
    assert (refused.code, Run.objects.get().connections) == (1, 90)
    assert "1 to 1000" in refused.error


def test_a_run_is_paused_resumed_stopped_and_tried_again(fleet):
    crowd(fleet, box=2)
    run = started(fleet, RunKind.PROBE)

    def told(*acts: str) -> str:
        return manage("runs", str(run.uid), *RITA, "--json", *acts).json["status"]

    assert told("--pause") == RunStatus.PAUSED
    assert told("--resume") == RunStatus.RUNNING
    end(worker(run), claim(run, "one")[1], Outcome.TRANSIENT)
    runs.finish_if_done(run, timezone.now())
    again = manage("runs", str(run.uid), *RITA, "--json", "--retry").json
    assert again["run"] != str(run.uid)
    stopped = manage("runs", again["run"], *RITA, "--json", "--stop").json
    assert stopped["status"] == RunStatus.STOPPING


@pytest.mark.parametrize(
    ("person", "told"), [("vic@example.com", 0), ("olga@example.com", 1)]
)
def test_addresses_of_links_are_told_to_operators_only(fleet, person, told):
    fleet.synced()
    run = fleet.run(RunKind.RECONNECT)
    wait = ("--wait", "--timeout", "0")

    ended = manage("runs", str(run.uid), "--as", person, *wait)

    assert ended.text.count("/reconnect/") == told


def test_a_revoker_who_is_no_operator_drills_without_the_address(fleet, team):
    instance = fleet.synced()[0]
    Membership.objects.filter(user=team.rita).update(is_operator=False)
    drill = ("drill", instance.remote_id, *RITA, "--reason", "a test", "--json")
    manage(*drill)
    run = fleet.work(Run.objects.get(kind=RunKind.DRILL))

    ended = manage("runs", str(run.uid), *RITA, "--wait", "--timeout", "0")

    assert run.items.get().links.exists()
    assert "/reconnect/" not in ended.text


@pytest.mark.parametrize("text", ["zzzz", "12", "00000000"])
def test_a_run_that_is_not_there_is_named(fleet, text):
    ended = manage("runs", text, *RITA)

    assert ended.code == 2
    assert text in ended.error


def test_a_run_of_others_is_not_there(fleet):
    run = fleet.sync()

    assert manage("runs", str(run.uid), "--as", "eve@example.com").code == 2


def test_acts_want_a_run(fleet):
    assert manage("runs", *RITA, "--connections", "5").code == 2


def test_a_list_counts_all_its_runs_by_one_query(fleet):
    fleet.synced("box", 2)
    some = [fleet.run(RunKind.PROBE) for _ in range(3)]

    with CaptureQueriesContext(connection) as asked:
        counts = runs.progress_of(some)

    assert len(asked) == 1
    assert counts == {run.pk: runs.progress(run) for run in some}


def test_a_list_says_how_far_each_is(fleet):
    fleet.synced("box", 2)
    fleet.run(RunKind.PROBE)

    ended = manage("runs", *RITA)

    assert "100 %        2 of 2" in ended.text


def test_one_run_is_told_in_full(team):
    run = make_run(team.acme, 40)
    end_items(run, share=0.5)

    ended = manage("runs", str(run.uid), *RITA)

    assert f"{run}: running, 20 of 40 done" in ended.text
    assert "18  Connected" in ended.text
    assert "up to 50 calls at once" in ended.text

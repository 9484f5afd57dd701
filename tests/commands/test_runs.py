"""`manage.py runs` lists what a person may see."""

from instances.choices import RunKind
from instances.models import Run
from tests.commands.conftest import manage


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

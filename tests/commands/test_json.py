"""The JSON of commands has the keys that docs/commands.md lists, no more and no fewer."""

import re

import pytest
from django.utils import timezone

from instances import runs
from instances.choices import RunKind
from instances.management import reports
from tests.commands.conftest import manage
from tests.house.sources import ROOT

ACME = ("--organization", "acme", "--as", "rita@example.com", "--json")


def documented(title: str) -> set[str]:
    """Return the keys of one table of the page."""
    page = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
    section = page.partition(f"### {title}\n")[2].partition("\n#")[0]
    keys = set(re.findall(r"^\| `(\w+)`", section, flags=re.MULTILINE))
    assert keys, title
    return keys


@pytest.fixture
def probed(fleet):
    fleet.synced("box", 1, state="dead")
    return fleet.run(RunKind.PROBE)


def test_a_run(probed):
    ended = manage("run", "probe", *ACME)

    assert set(ended.json) == documented("A run") | documented("A run that was begun")


def test_a_listed_run(probed):
    ended = manage("runs", *ACME)

    assert set(ended.json[0]) == documented("A run")


def test_a_part(probed):
    ended = manage("runs", str(probed.uid), *ACME)

    assert set(ended.json) == documented("A run")
    assert set(ended.json["parts"][0]) == documented("A part")


def test_an_item_that_needs_attention(probed):
    document = reports.run_json(probed, timezone.now())

    assert set(document["attention"][0]) == documented("An item that needs attention")


def test_a_drill_and_its_steps(fleet):
    instance = fleet.synced()[0]

    ended = manage("drill", instance.remote_id, *ACME, "--reason", "a test")

    begun = documented("A run") | documented("A run that was begun")
    assert set(ended.json) == begun | documented("A drill")
    assert set(ended.json["steps"][0]) == documented("A step")


def test_a_link(fleet):
    fleet.synced()
    run = fleet.run(RunKind.RECONNECT)

    document = reports.run_json(run, timezone.now(), linked=True)

    assert set(document["links"][0]) == documented("A link")


def test_a_dry_run(fleet):
    fleet.synced()

    ended = manage("run", "revoke", *ACME, "--dry-run")

    assert set(ended.json) == documented("A dry run")
    assert set(ended.json["effects"][0]) == documented("An effect")


def test_the_exit_codes_are_those_of_the_outcome_table(fleet, probed):
    fleet.synced("salesforce")

    good = fleet.run(RunKind.SYNC)

    assert (runs.exit_code(probed), runs.exit_code(good)) == (1, 0)

"""The commands export_audit and verify_audit give people what they may have, in two forms."""

import json
import uuid

import pytest

from ceadmin.audit.choices import Action
from ceadmin.audit.models import Event
from ceadmin.teams.models import Membership, User
from tests.audit_support import forge
from tests.commands.audit.conftest import FORMULAS, cells_of, export, problems, write
from tests.commands.conftest import manage
from tests.people import PASSWORD


@pytest.mark.parametrize("formula", FORMULAS)
def test_no_cell_of_csv_is_a_formula(acme, tmp_path, formula):
    write(acme.chain, formula)
    export(tmp_path / "x.csv")

    cells = [cell for row in cells_of(tmp_path / "x.csv") for cell in row]

    assert f"'{formula}" in cells
    assert not [c for c in cells if c.lstrip(" ").startswith(tuple("=+-@|\t\r＝"))]
    assert problems(tmp_path / "x.csv") == []


def test_jsonl_is_read_by_any_program(acme, tmp_path):
    export(tmp_path / "x.jsonl")

    lines = (tmp_path / "x.jsonl").read_text().splitlines()
    events = [json.loads(line)["event"] for line in lines]

    assert [one["reason"] for one in events][:3] == ["plain", '“quoted” "x"', "Bücher"]


def test_a_forged_history_is_exported_as_it_is_and_told(acme, tmp_path):
    forge("UPDATE audit_event SET text = 'no\nevent' WHERE sequence = 2")
    for kind in ("jsonl", "csv"):
        export(tmp_path / f"x.{kind}")

        assert (2, "changed") in problems(tmp_path / f"x.{kind}")


# Who


@pytest.mark.parametrize("who", ["vic", "olga", "rita", "otto"])
def test_who_is_no_auditor_exports_nothing(acme, tmp_path, who):
    ended = export(tmp_path / "x.jsonl", "--organization", "acme", who=who)

    assert ended.code == 3
    assert not (tmp_path / "x.jsonl").exists()
    assert export(tmp_path / "x.jsonl", who=who).code == 2


def test_an_organization_of_others_is_unknown(acme, tmp_path):
    ended = export(tmp_path / "x.jsonl", "--organization", "globex")

    assert ended.code == 2
    assert not (tmp_path / "x.jsonl").exists()


def test_an_auditor_has_the_own_organizations_only(acme, team, tmp_path):
    write(team.other.chain, "secret of others")
    write("", "of the system")
    export(tmp_path / "x.jsonl")

    text = (tmp_path / "x.jsonl").read_text()
    assert "of others" not in text and "of the system" not in text
    assert team.other.chain not in text


def test_a_superuser_has_everything_and_it_shows(acme, team, tmp_path):
    gone = str(uuid.uuid4())
    for chain in (team.other.chain, "", gone):
        write(chain, "seen")
    User.objects.create_superuser("root@example.com", PASSWORD, name="Root")

    export(tmp_path / "x.jsonl", who="root")

    text = (tmp_path / "x.jsonl").read_text()
    assert text.count('"seen"') == 6  # reason and subject
    event = Event.objects.filter(chain=team.other.chain).latest("sequence")
    assert (event.action, event.role) == (Action.AUDIT_EXPORTED, "superuser")
    assert problems(tmp_path / "x.jsonl") == []


def test_a_former_auditor_exports_no_more(acme, tmp_path):
    Membership.objects.filter(user__email="ada@example.com").update(is_auditor=False)

    assert export(tmp_path / "x.jsonl").code == 2


def test_a_file_that_is_there_is_not_written_over(acme, tmp_path):
    (tmp_path / "x.jsonl").write_text("mine")

    ended = export(tmp_path / "x.jsonl")

    assert (ended.code, (tmp_path / "x.jsonl").read_text()) == (2, "mine")
    assert Event.objects.filter(action=Action.AUDIT_EXPORTED).count() == 0


def test_an_export_is_for_its_owner_s_eyes(exported):
    assert exported.stat().st_mode & 0o777 == 0o600


def test_a_kind_that_is_none_is_refused(acme, tmp_path):
    assert export(tmp_path / "x.txt").code == 2


def test_an_export_needs_a_place(acme):
    assert manage("export_audit", "--as", "ada@example.com").code != 0

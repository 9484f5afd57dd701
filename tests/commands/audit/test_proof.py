"""An export can be proved by whoever has the public key, and what was done to it is named."""

import csv
import json
from datetime import UTC, datetime, timedelta

import pytest

from ceadmin.audit.choices import Action
from ceadmin.audit.models import Event
from ceadmin.audit.people import erase
from ceadmin.audit.verify import verify
from ceadmin.audit.watch import sign_all
from ceadmin.lib.signing import own_public_keys
from ceadmin.teams.models import Membership, User
from tests.audit_support import forge, rewound
from tests.commands.audit.conftest import (
    ANN,
    AT,
    cells_of,
    edit,
    export,
    problems,
    write,
)
from tests.commands.conftest import manage


def test_an_untouched_export_is_whole(exported, acme):
    ended = manage("verify_audit", str(exported))

    assert ended.code == 0
    assert "acme: 5 events, whole" in ended.text
    assert "Everything that is here is whole" in ended.text


def test_an_export_is_its_own_last_event(exported, acme):
    event = Event.objects.filter(chain=acme.chain).latest("sequence")
    manifest = json.loads(
        (exported.parent / f"{exported.name}.manifest.json").read_text()
    )

    ada = User.objects.get(email="ada@example.com")
    assert (event.action, event.actor_uid) == (Action.AUDIT_EXPORTED, ada.uid)
    [chain] = manifest["chains"]
    assert (chain["sequence"], chain["hash"]) == (event.sequence, event.hash)
    assert (manifest["events"], manifest["made_by"]) == (5, str(ada.uid))
    assert json.loads(event.text)["facts"]["names"] is False
    assert verify() == []


def test_nobody_is_named_unless_it_is_asked_for(exported):
    text = exported.read_text()

    assert "Ann" not in text and "192.0.2.7" not in text and "ann@x.test" not in text
    assert str(ANN.uid) in text


@pytest.mark.parametrize("kind", ["jsonl", "csv"])
def test_names_stand_beside_the_proof_where_they_are_asked_for(acme, tmp_path, kind):
    path = tmp_path / "named"

    export(path, "--names", "--format", kind)

    text = path.read_text()
    assert "Ann" in text and "192.0.2.7" in text and "ann@x.test" in text
    assert problems(path) == []
    event = Event.objects.filter(chain=acme.chain).latest("sequence")
    assert json.loads(event.text)["facts"]["names"] is True


def test_an_erased_person_is_in_no_later_export(acme, tmp_path):
    erase(ANN.uid, at=AT)

    export(tmp_path / "x.jsonl", "--names")

    assert "Ann" not in (tmp_path / "x.jsonl").read_text()
    assert problems(tmp_path / "x.jsonl") == []


def test_an_edited_event_is_named(exported):
    edit(exported, lambda lines: [line.replace(b"plain", b"pl4in") for line in lines])

    ended = manage("verify_audit", str(exported))

    assert ended.code == 1
    line = 1 if exported.suffix == ".jsonl" else 2
    assert (
        f"First bad event: acme #1 (line {line}): its text does not have its hash"
        in ended.text
    )


def test_a_cell_that_is_not_what_the_text_says_is_named(acme, tmp_path):
    path = tmp_path / "x.csv"
    export(path)
    rows = cells_of(path)
    rows[2][rows[0].index("reason")] = "another"
    with path.open("w", newline="") as file:
        csv.writer(file, quoting=csv.QUOTE_ALL).writerows(rows)

    assert problems(path) == [(2, "cell")]


def test_a_removed_event_is_named(exported):
    edit(exported, lambda lines: lines[:-3] + lines[-2:])

    assert problems(exported) == [(4, "missing")]


def test_a_cut_export_is_told(exported):
    edit(exported, lambda lines: lines[:-2])

    assert problems(exported) == [(3, "cut")]


def test_swapped_events_are_named(exported):
    edit(exported, lambda lines: [*lines[:-2], lines[-1], lines[-2]])

    assert problems(exported)[0] == (5, "missing")


def test_a_doubled_event_is_named(exported):
    edit(exported, lambda lines: [*lines[:-1], lines[-2], lines[-1]])

    assert problems(exported)[0] == (4, "misplaced")


def test_an_empty_file_is_not_whole(exported):
    exported.write_text("")

    assert problems(exported) == [(0, "cut")]


@pytest.mark.parametrize("garbage", [b"\xff\xfe\0", b"{}\n", b"hello\n", b'"', b"[]\n"])
def test_garbage_is_not_whole(exported, garbage):
    edit(exported, lambda lines: [*lines, garbage])
    assert problems(exported)

    exported.write_bytes(garbage)
    assert problems(exported)


def test_without_its_manifest_an_export_has_no_end(exported):
    (exported.parent / f"{exported.name}.manifest.json").unlink()

    assert problems(exported) == [(0, "manifest")]


@pytest.mark.parametrize(
    "change",
    [{"events": 4}, {"sha256": ""}, {"key": "k9"}, {"proof": "00"}, {"chains": []}],
)
def test_a_changed_manifest_is_told(exported, change):
    beside = exported.parent / f"{exported.name}.manifest.json"
    beside.write_text(json.dumps(json.loads(beside.read_text()) | change))

    assert problems(exported)[0] == (0, "manifest")


@pytest.mark.parametrize("text", ["", "[]", "{}", "\x00", '{"chains": 5}'])
def test_what_is_no_manifest_is_told(exported, text):
    (exported.parent / f"{exported.name}.manifest.json").write_text(text)

    assert problems(exported) == [(0, "manifest")]


def test_a_whole_export_forged_with_another_key_is_told(acme, tmp_path, settings):
    public = str(own_public_keys())
    forge("UPDATE audit_event SET reason = 'x' WHERE sequence = 5")
    settings.CHECKPOINT_KEYS = "demo1:" + "D" * 43 + "="
    export(tmp_path / "x.jsonl")
    assert problems(tmp_path / "x.jsonl") == []

    assert problems(tmp_path / "x.jsonl", "--public-keys", public) == [(0, "manifest")]


def test_an_export_of_a_cut_history_is_told_by_the_checkpoints(
    acme, tmp_path, settings
):
    sign_all(AT)
    rewound(acme.chain, 2)
    export(tmp_path / "x.jsonl")
    assert problems(tmp_path / "x.jsonl") == []

    with_file = ("--checkpoints", settings.CHECKPOINT_FILE)
    assert problems(tmp_path / "x.jsonl", *with_file)[0] == (3, "cut")


def test_checkpoints_signed_after_an_export_say_nothing_of_it(acme, tmp_path, settings):
    export(tmp_path / "x.jsonl")
    write(acme.chain, "later")
    sign_all(datetime.now(UTC) + timedelta(seconds=5))

    with_file = ("--checkpoints", settings.CHECKPOINT_FILE)
    assert problems(tmp_path / "x.jsonl", *with_file) == []


# What belongs to no event


@pytest.fixture
def both(acme, team, tmp_path):
    """The audits of two organizations in one file; return it with its lines of each."""
    ada = User.objects.get(email="ada@example.com")
    Membership.objects.create(user=ada, organization=team.other, is_auditor=True)
    write(team.other.chain, "one", "two")
    path = tmp_path / "both.jsonl"
    assert export(path).code == 0
    assert problems(path) == []
    lines = path.read_bytes().splitlines(keepends=True)
    mine = [line for line in lines if acme.chain.encode() in line]
    others = [line for line in lines if line not in mine]
    assert lines in ([*mine, *others], [*others, *mine])
    return path, lines[0] in mine, mine, others


def test_organizations_in_another_order_are_told(both):
    path, first, mine, others = both

    path.write_bytes(b"".join([*others, *mine] if first else [*mine, *others]))

    assert [code for _, code in problems(path)] == ["file"]


def test_organizations_mixed_are_told(both):
    path, first, mine, others = both
    before, after = (mine, others) if first else (others, mine)

    path.write_bytes(b"".join([*before[:1], *after[:1], *before[1:], *after[1:]]))

    assert [code for _, code in problems(path)] == ["file"]


def test_a_changed_name_is_told(acme, tmp_path):
    path = tmp_path / "named.jsonl"
    export(path, "--names")

    text = path.read_text()
    path.write_text(text.replace('"Ann"', '"Eve"', 1))

    assert [code for _, code in problems(path)] == ["file"]


@pytest.mark.parametrize(
    ("text", "other"),
    [
        (b'{"hash":', b'{ "hash":'),
        (b'","event":', b'" ,"event":'),
        (b"}\n", b"} \n"),
        (b"}\n", b"}\r\n"),
        (b'","event":', b'","note":"x","event":'),
    ],
)
def test_a_letter_beside_an_event_is_told(acme, tmp_path, text, other):
    path = tmp_path / "acme.jsonl"
    export(path)

    path.write_bytes(path.read_bytes().replace(text, other, 1))

    assert problems(path) != []

"""Checkpoints stand outside the database and find what the database cannot tell."""

import json
import logging
import uuid
from datetime import UTC, datetime, timedelta

import pytest
from django.db import transaction

from ceadmin.audit.actors import SYSTEM
from ceadmin.audit.checkpoints import BadCheckpoint, collect, read
from ceadmin.audit.choices import Action
from ceadmin.audit.models import Event, Head
from ceadmin.audit.record import Entry, record_many
from ceadmin.audit.tasks import checkpoint
from ceadmin.audit.verify import verify
from ceadmin.audit.watch import sign_all
from ceadmin.lib.signing import own_public_keys
from tests.audit_support import forge, rewound
from tests.commands.conftest import manage

AT = datetime(2026, 11, 23, tzinfo=UTC)
CHAIN = str(uuid.uuid4())

pytestmark = pytest.mark.django_db


def write(count: int = 3, chain: str = CHAIN, act: Action = Action.RUN_STARTED) -> None:
    """Record some events."""
    with transaction.atomic():
        record_many(chain, [Entry(act, SYSTEM)] * count, at=AT)


def marks(path, keys=None):
    """Return what a checkpoint file vouches for, and its bad lines."""
    return collect(path.read_text().splitlines(), keys or own_public_keys())


def found(path) -> list[tuple[str, int, str]]:
    """Return what verifying finds with a checkpoint file."""
    vouched, bad = marks(path)
    assert bad == []
    return [(one.chain, one.sequence, one.code) for one in verify(marks=vouched)]


def refusals() -> list[dict]:
    """Return the facts of the recorded refusals."""
    events = Event.objects.filter(action=Action.CHECKPOINT_REFUSED).order_by("id")
    return [json.loads(event.text)["facts"] for event in events]


def test_every_chain_is_signed_as_far_as_it_came(checkpoints):
    write(3), write(1, chain="")

    signed = sign_all(AT).signed

    assert [(one.chain, one.sequence, one.count) for one in signed] == [
        ("", 1, 1),
        (CHAIN, 3, 3),
    ]
    assert marks(checkpoints)[0][CHAIN] == {3: Head.objects.get(chain=CHAIN).hash}
    assert checkpoints.stat().st_mode & 0o777 == 0o600


def test_what_did_not_go_on_is_not_signed_again(checkpoints):
    write(3), write(1, chain="")
    sign_all(AT)
    write(2)

    assert [one.sequence for one in sign_all(AT).signed] == [5]
    assert sign_all(AT).signed == []
    assert len(checkpoints.read_text().splitlines()) == 3


def test_the_log_has_every_checkpoint_and_serves_as_the_file(checkpoints, caplog):
    caplog.set_level(logging.INFO)
    write()
    sign_all(AT)
    lines = [
        json.dumps({"at": "now", "message": record.getMessage()})
        for record in caplog.records
    ]

    vouched, bad = collect([json.dumps({"message": "x"}), *lines], own_public_keys())

    assert bad == []
    assert vouched == marks(checkpoints)[0]


def test_the_log_s_redaction_leaves_a_checkpoint_whole(checkpoints):
    from ceadmin.lib import redact  # noqa: PLC0415 (only here)

    write()
    sign_all(AT)

    line = checkpoints.read_text()
    assert redact.text(line) == line


def test_a_cut_end_with_a_head_to_match_is_found(checkpoints):
    write(5)
    sign_all(AT)
    rewound(CHAIN, 3)
    assert verify() == []

    assert found(checkpoints) == [(CHAIN, 3, "cut")]


def test_a_restored_older_database_that_went_on_is_found(checkpoints):
    write(5)
    sign_all(AT)
    rewound(CHAIN, 3)
    write(4, act=Action.RUN_STOPPED)
    assert verify() == []

    assert found(checkpoints) == [(CHAIN, 5, "checkpoint")]


def test_a_removed_chain_is_found(checkpoints):
    write(2)
    sign_all(AT)
    forge("DELETE FROM audit_event")
    Head.objects.all().delete()
    assert verify() == []

    assert found(checkpoints) == [(CHAIN, 0, "cut")]


@pytest.mark.parametrize("go_on", [0, 1, 9])
def test_what_contradicts_the_file_is_not_signed_and_recorded_once(
    checkpoints, caplog, go_on
):
    write(5)
    sign_all(AT)
    rewound(CHAIN, 3)
    write(go_on, act=Action.RUN_STOPPED)

    first, second = sign_all(AT), sign_all(AT + timedelta(minutes=10))

    assert first.signed == []
    assert [one.chain for one in first.refused] == [CHAIN]
    assert len(second.refused) == 1
    [facts] = refusals()
    assert "Restore the newer database" in facts["remedy"]
    assert caplog.text.count("was not signed") == 2
    assert len(checkpoints.read_text().splitlines()) == 1


def test_another_chain_is_signed_all_the_same(checkpoints):
    write(5)
    sign_all(AT)
    rewound(CHAIN, 3)
    write(2, chain="")

    assert [one.chain for one in sign_all(AT).signed] == [""]


def test_with_the_file_moved_away_signing_goes_on(checkpoints):
    write(5)
    sign_all(AT)
    rewound(CHAIN, 3)
    checkpoints.rename(checkpoints.with_name("before-the-restore.jsonl"))

    assert [one.sequence for one in sign_all(AT).signed] == [3]
    assert found(checkpoints) == []


def test_a_removed_event_is_not_signed_over(checkpoints):
    write(5)
    forge("DELETE FROM audit_event WHERE sequence = 2")

    [refusal] = sign_all(AT).refused

    assert refusal.problem == "5 events were written, 4 are there"


def test_a_head_that_is_not_the_last_event_is_not_signed(checkpoints):
    write(5)
    Head.objects.update(hash="0" * 64)

    [refusal] = sign_all(AT).refused

    assert "event 5 is gone or is another one" in refusal.problem


def test_a_line_signed_with_another_key_is_no_checkpoint(checkpoints, settings):
    ours = own_public_keys()
    write()
    settings.CHECKPOINT_KEYS = "demo1:" + "D" * 43 + "="
    sign_all(AT)

    assert marks(checkpoints, ours) == ({}, [(1, "has a signature that does not hold")])


def test_signing_refuses_to_go_on_from_a_forged_line(checkpoints, settings):
    mine = settings.CHECKPOINT_KEYS
    write()
    settings.CHECKPOINT_KEYS = "demo1:" + "D" * 43 + "="
    sign_all(AT)
    settings.CHECKPOINT_KEYS = mine

    [refusal] = sign_all(AT).refused

    assert "signature that does not hold" in refusal.problem


def test_keys_are_replaced_and_old_lines_still_hold(checkpoints, settings):
    write()
    sign_all(AT)
    settings.CHECKPOINT_KEYS = "new:" + "D" * 43 + "=," + settings.CHECKPOINT_KEYS
    write()
    sign_all(AT)

    keys = [json.loads(line)["key"] for line in checkpoints.read_text().splitlines()]
    assert keys == ["demo1", "new"]
    assert found(checkpoints) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"sequence": 2}, "has a signature that does not hold"),
        ({"hash": "0" * 64}, "has a signature that does not hold"),
        ({"count": 9}, "has a signature that does not hold"),
        ({"key": "k9"}, "is signed with the key 'k9', which is not known"),
        ({"more": 1}, "is no checkpoint"),
        ({"sequence": "3"}, "is no checkpoint"),
        ({"sequence": True}, "is no checkpoint"),
    ],
)
def test_a_changed_line_is_told(checkpoints, change, said):
    write()
    sign_all(AT)
    line = json.dumps(json.loads(checkpoints.read_text()) | change)

    assert collect(["", line], own_public_keys()) == ({}, [(2, said)])


@pytest.mark.parametrize(
    "line", ["{", "[]", "5", "{}", '{"message": "audit checkpoint x"}']
)
def test_what_is_no_checkpoint_is_told(line):
    with pytest.raises(BadCheckpoint):
        read(line)


def test_a_line_that_broke_off_does_not_spoil_the_next(checkpoints):
    write()
    sign_all(AT)
    with checkpoints.open("a") as file:
        file.write('{"at":"20')
    write()
    sign_all(AT)

    vouched, bad = marks(checkpoints)

    assert bad == [(2, "is no JSON")]
    assert sorted(vouched[CHAIN]) == [3, 6]


def test_two_signed_histories_are_told(checkpoints):
    write()
    sign_all(AT)
    rewound(CHAIN, 2)
    write(1, act=Action.RUN_STOPPED)
    old = checkpoints.read_text()
    checkpoints.unlink()
    sign_all(AT)

    lines = (old + checkpoints.read_text()).splitlines()
    _, bad = collect(lines, own_public_keys())

    assert bad == [(2, f"vouches for another event 3 of {CHAIN} than a line before it")]


def test_a_clock_that_was_set_back_is_recorded_once(checkpoints, caplog):
    write()
    sign_all(AT)
    for minutes in (59, 58):
        write()
        sign_all(AT - timedelta(minutes=minutes))

    [event] = Event.objects.filter(action=Action.CLOCK_WENT_BACK)
    assert json.loads(event.text)["facts"]["back"] == "0:59:00"
    assert "the clock was set back by 0:59:00: set it right" in caplog.text
    assert verify() == []


def test_beat_s_task_and_the_command_do_the_same(checkpoints):
    write()
    checkpoint()
    write()

    ended = manage("checkpoint_audit", "--json")

    assert (ended.code, [one["sequence"] for one in ended.json["signed"]]) == (0, [6])
    assert manage("checkpoint_audit").text.startswith("Nothing was recorded since")


def test_the_command_ends_with_1_where_it_refuses(checkpoints):
    write(5)
    manage("checkpoint_audit")
    rewound(CHAIN, 3)

    ended = manage("checkpoint_audit")

    assert ended.code == 1
    assert "its end was cut off, or the database is an older one" in ended.text
    assert "Restore the newer database" in ended.text


def test_the_command_prints_the_public_keys():
    ended = manage("checkpoint_audit", "--public-keys")

    assert ended.text.strip() == str(own_public_keys())


def test_a_file_that_cannot_be_written_is_said(settings, tmp_path):
    (tmp_path / "taken").write_text("")
    settings.CHECKPOINT_FILE = str(tmp_path / "taken" / "file")
    write()

    ended = manage("checkpoint_audit")

    assert ended.code == 1
    assert ended.error.startswith("CHECKPOINT_FILE cannot be written")

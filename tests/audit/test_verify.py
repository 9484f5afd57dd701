"""Whatever is done to the history past the triggers, verification finds it."""

import json
import uuid
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection, transaction

from ceadmin.audit.actors import SYSTEM
from ceadmin.audit.canonical import digest, dump
from ceadmin.audit.choices import Action
from ceadmin.audit.models import Event, Head
from ceadmin.audit.record import Subject, record
from ceadmin.audit.verify import MOST_PROBLEMS, verify, walk
from tests.audit_support import forge

AT = datetime(2026, 11, 23, tzinfo=UTC)
CHAIN = str(uuid.uuid4())

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def history(db) -> None:
    """Five events of one organization and one of the system."""
    with transaction.atomic():
        record(Action.SIGNED_IN, chain="", actor=SYSTEM, at=AT)
        for number in range(1, 6):
            record(
                Action.RUN_STARTED, chain=CHAIN, actor=SYSTEM, at=AT, reason=f"{number}"
            )


def codes(chain: str | None = None) -> list[tuple[int, str]]:
    """Return where and what is wrong."""
    return [(problem.sequence, problem.code) for problem in verify(chain)]


def test_an_untouched_history_is_whole():
    assert verify() == verify(CHAIN) == verify("") == []


def test_a_changed_column_is_found():
    forge(
        "UPDATE audit_event SET reason = 'x' WHERE chain = %s AND sequence = 3", CHAIN
    )

    assert codes() == [(3, "column")]
    assert "column reason" in str(verify()[0])


@pytest.mark.parametrize(
    "change",
    ["at = '2020-01-01 00:00:00+00:00'", "role = 'owner'", "item_id = 7"],
)
def test_every_column_counts(change):
    forge(f"UPDATE audit_event SET {change} WHERE chain = %s AND sequence = 2", CHAIN)

    assert codes() == [(2, "column")]


def test_a_changed_text_is_found():
    forge("UPDATE audit_event SET text = '{}' WHERE chain = %s AND sequence = 4", CHAIN)

    assert codes() == [(4, "changed")]


def test_a_text_with_a_new_hash_is_found_by_the_next_event():
    event = Event.objects.get(chain=CHAIN, sequence=2)
    text = dump(json.loads(event.text) | {"reason": "forged"})

    forge(
        "UPDATE audit_event SET text = %s, hash = %s, reason = 'forged' WHERE id = %s",
        text,
        digest(text),
        event.pk,
    )

    assert codes() == [(3, "broken")]


def test_a_text_that_is_no_event_is_found():
    forge(
        "UPDATE audit_event SET text = '[]', hash = %s WHERE chain = %s AND sequence = 5",
        digest("[]"),
        CHAIN,
    )

    assert codes() == [(5, "column"), (5, "head")]


def test_a_removed_event_is_found():
    forge("DELETE FROM audit_event WHERE chain = %s AND sequence = 3", CHAIN)

    assert codes() == [(4, "missing")]


def test_a_cut_end_is_found():
    forge("DELETE FROM audit_event WHERE chain = %s AND sequence > 3", CHAIN)

    assert codes() == [(3, "head")]


def test_a_removed_chain_is_found():
    forge("DELETE FROM audit_event WHERE chain = %s", CHAIN)

    assert codes() == [(0, "head")]


def test_a_removed_head_is_found():
    Head.objects.filter(chain=CHAIN).delete()

    assert codes() == [(5, "head")]


def test_swapped_events_are_found():
    for old, new in ((2, 99), (3, 2), (99, 3)):
        forge(
            "UPDATE audit_event SET sequence = %s WHERE chain = %s AND sequence = %s",
            new,
            CHAIN,
            old,
        )

    found = dict(codes())
    assert {2, 3} <= found.keys()


def test_an_event_moved_to_another_chain_is_found():
    forge("UPDATE audit_event SET chain = '' WHERE chain = %s AND sequence = 5", CHAIN)

    assert {problem.chain for problem in verify()} == {"", CHAIN}


def test_one_chain_can_be_asked_alone():
    forge("UPDATE audit_event SET reason = 'x' WHERE chain = %s", CHAIN)

    assert codes("") == []
    assert len(codes(CHAIN)) == 5


def test_a_ruined_chain_is_told_briefly():
    with transaction.atomic():
        for _ in range(MOST_PROBLEMS):
            record(Action.RUN_STARTED, chain=CHAIN, actor=SYSTEM, at=AT)

    forge("UPDATE audit_event SET reason = 'x' WHERE chain = %s", CHAIN)

    assert len(verify()) == MOST_PROBLEMS


ODD = ('"quoted"', "back\\slash", "100 %s {}", "Bücher – 鍵 🔑", "a\tb\nc", "\x7f", "'")


@pytest.mark.parametrize("odd", ODD)
def test_what_needs_an_escape_is_compared_too(odd):
    with transaction.atomic():
        record(
            Action.RUN_STARTED,
            chain=CHAIN,
            actor=SYSTEM,
            at=AT,
            subject=Subject("run", "", odd),
            reason=odd,
            item_id=7,
        )
    assert codes() == []

    forge("UPDATE audit_event SET reason = reason || 'x' WHERE sequence = 6")

    assert codes() == [(6, "column")]


def test_bytes_that_are_no_text_are_found():
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL stores text only")

    forge("UPDATE audit_event SET text = CAST(x'ff00' AS text) WHERE sequence = 3")
    forge("UPDATE audit_event SET text = x'ff' WHERE sequence = 4")
    forge("UPDATE audit_event SET actor_uid = 'nobody' WHERE sequence = 5")

    assert codes() == [(3, "changed"), (4, "changed"), (5, "column")]


def test_a_sequence_that_is_no_number_is_found():
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL stores numbers only")

    forge("UPDATE audit_event SET sequence = 'many' WHERE sequence = 4")

    assert [code for _, code in codes()][:2] == ["missing", "misplaced"]


@pytest.mark.parametrize("back", [timedelta(hours=3), timedelta(seconds=61)])
def test_a_clock_that_was_set_back_is_told_and_breaks_nothing(back):
    with transaction.atomic():
        record(Action.RUN_STARTED, chain=CHAIN, actor=SYSTEM, at=AT - back)
        record(Action.RUN_STARTED, chain=CHAIN, actor=SYSTEM, at=AT)

    walked = walk(CHAIN)

    assert walked.problems == []
    [note] = walked.notes
    assert (note.sequence, note.code) == (6, "clock")
    assert f"{back} before" in str(note)


def test_clocks_of_machines_that_differ_by_seconds_are_nothing():
    with transaction.atomic():
        for seconds in (30, 0, 59, 12):
            at = AT + timedelta(seconds=seconds)
            record(Action.RUN_STARTED, chain=CHAIN, actor=SYSTEM, at=at)

    assert walk(CHAIN).notes == []


def test_a_signed_event_that_was_replaced_is_found():
    signed = {3: Event.objects.get(chain=CHAIN, sequence=3).hash, 5: "0" * 64}

    assert [(p.sequence, p.code) for p in walk(CHAIN, signed).problems] == [
        (5, "checkpoint")
    ]


def test_a_chain_that_ends_before_its_checkpoint_is_found():
    [problem] = verify(CHAIN, {CHAIN: {7: "0" * 64}})

    assert (problem.sequence, problem.code) == (5, "cut")
    assert "the database is an older one" in str(problem)


def test_a_chain_of_which_only_a_checkpoint_is_left_is_found():
    gone = str(uuid.uuid4())

    assert [p.chain for p in verify(marks={gone: {2: "0" * 64}})] == [gone]

"""The database itself refuses to change, remove or replace events."""

import io
import uuid
from datetime import UTC, datetime

import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction

from ceadmin.audit.actors import SYSTEM
from ceadmin.audit.choices import Action
from ceadmin.audit.models import Event
from ceadmin.audit.record import record
from ceadmin.audit.triggers import install, remove, triggers_present
from ceadmin.audit.verify import verify
from tests.audit_support import lifted

AT = datetime(2026, 11, 23, tzinfo=UTC)
COLUMNS = (
    "id, chain, sequence, at, action, actor_uid, actor_kind, role, subject_type, "
    "subject_uid, subject_name, run_uid, instance_uid, provider_key, outcome, reason, "
    "ticket, text, previous_hash, hash"
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def event(db) -> Event:
    """The second of three events."""
    with transaction.atomic():
        for _ in range(3):
            record(Action.SIGNED_IN, chain="", actor=SYSTEM, at=AT)
    return Event.objects.get(sequence=2)


def execute(sql: str, *values: object) -> None:
    """Run a statement past everything of ours."""
    with connection.cursor() as cursor:
        cursor.execute(sql, values)


def refused(sql: str, *values: object) -> None:
    """Assert that the database refuses a statement, by our triggers."""
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        execute(sql, *values)


def test_an_update_is_refused(event):
    refused("UPDATE audit_event SET reason = 'forged' WHERE id = %s", event.pk)
    refused("UPDATE audit_event SET reason = 'forged'")


def test_a_delete_is_refused(event):
    refused("DELETE FROM audit_event WHERE id = %s", event.pk)
    refused("DELETE FROM audit_event")


def test_the_orm_cannot_go_round_its_own_refusal(event):
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        Event.objects.filter(pk=event.pk)._raw_delete("default")


@pytest.mark.parametrize("clash", ["id", "sequence", "hash"])
def test_a_row_cannot_be_replaced(event, clash):
    if connection.vendor != "sqlite":
        pytest.skip("INSERT OR REPLACE is SQLite's")
    fresh = {"id": "99", "sequence": "99", "hash": "'forged'"} | {clash: clash}
    chosen = COLUMNS
    for name, value in fresh.items():
        chosen = f" {chosen},".replace(f" {name},", f" {value},").strip(" ,")

    refused(
        f"INSERT OR REPLACE INTO audit_event ({COLUMNS}) "
        f"SELECT {chosen} FROM audit_event WHERE id = %s",
        event.pk,
    )


def test_an_upsert_is_refused(event):
    replace = "" if connection.vendor == "sqlite" else "OVERRIDING SYSTEM VALUE"
    refused(
        f"INSERT INTO audit_event ({COLUMNS}) {replace} "
        f"SELECT {COLUMNS} FROM audit_event WHERE id = %s "
        "ON CONFLICT (hash) DO UPDATE SET reason = 'forged'",
        event.pk,
    )


def test_truncating_is_refused(event):
    if connection.vendor == "sqlite":
        pytest.skip("SQLite has no TRUNCATE")
    refused("TRUNCATE audit_event")


def test_replica_mode_does_not_silence_the_triggers(event):
    if connection.vendor == "sqlite":
        pytest.skip("PostgreSQL's")
    execute("SET LOCAL session_replication_role = 'replica'")
    refused("DELETE FROM audit_event")


def test_missing_triggers_are_noticed():
    assert triggers_present()

    with lifted():
        assert not triggers_present()

    assert triggers_present()


def test_a_trigger_of_the_same_name_that_does_nothing_is_noticed():
    if connection.vendor == "sqlite":
        execute("DROP TRIGGER audit_event_no_delete")
        execute(
            "CREATE TRIGGER audit_event_no_delete BEFORE DELETE ON audit_event "
            "BEGIN SELECT 1; END"
        )
    else:
        execute("ALTER TABLE audit_event DISABLE TRIGGER audit_event_no_change")

    assert not triggers_present()
    install(connection)
    assert triggers_present()


def test_migrating_puts_the_triggers_back():
    remove(connection)

    call_command("migrate", verbosity=0, stdout=io.StringIO())

    assert triggers_present()


@pytest.mark.django_db(transaction=True)
def test_emptying_the_database_is_refused():
    with transaction.atomic():
        record(Action.SIGNED_IN, chain=str(uuid.uuid4()), actor=SYSTEM, at=AT)

    with pytest.raises(Exception, match="couldn't be flushed"):
        call_command("flush", interactive=False, verbosity=0)

    assert Event.objects.count() == 1
    assert verify() == []


@pytest.mark.django_db(transaction=True)
def test_after_a_test_that_was_emptied_the_triggers_stand():
    assert triggers_present()
    assert not Event.objects.exists()

"""Many writers at once leave one whole chain."""

import threading
import uuid
from datetime import UTC, datetime

import pytest
from django.db import DatabaseError, connection, transaction

from ceadmin.audit.actors import SYSTEM, Actor
from ceadmin.audit.choices import Action
from ceadmin.audit.models import Event, Head, Origin, Person
from ceadmin.audit.record import Entry, record, record_many
from ceadmin.audit.verify import verify

AT = datetime(2026, 11, 23, tzinfo=UTC)
WRITERS = 8
ROUNDS = 12
CHAINS = [str(uuid.uuid4()), ""]


def actor(number: int) -> Actor:
    """Return one of three persons, each coming from one of two addresses."""
    uid = uuid.uuid5(uuid.NAMESPACE_OID, str(number % 3))
    address = f"192.0.2.{number % 2}"
    return Actor(uid, "person", "Ann", number % 3, frozenset(), address)


def write(number: int, start: threading.Barrier, errors: list[Exception]) -> None:
    """Append to both chains, singly and in batches."""
    try:
        start.wait()
        for turn in range(ROUNDS):
            who = actor(number)
            with transaction.atomic():
                record(Action.RUN_STARTED, chain=CHAINS[turn % 2], actor=who, at=AT)
            with transaction.atomic():
                rows = [Entry(Action.ITEM_SETTLED, who, item_id=turn)] * 5
                record_many(CHAINS[0], rows, at=AT)
    except DatabaseError as error:
        errors.append(error)
    finally:
        connection.close()


@pytest.mark.django_db(transaction=True)
def test_nobody_waits_for_ever_for_the_head(monkeypatch):
    if connection.vendor == "sqlite":
        pytest.skip("SQLite's connection has a time-out of its own")
    monkeypatch.setattr("ceadmin.audit.record.LONGEST_WAIT", "200ms")
    held, done = threading.Event(), threading.Event()

    def hold() -> None:
        with transaction.atomic():
            record(Action.RUN_STARTED, chain="", actor=actor(0), at=AT)
            held.set()
            done.wait(10)
        connection.close()

    holder = threading.Thread(target=hold)
    holder.start()
    held.wait(10)
    try:
        with pytest.raises(DatabaseError, match="lock timeout"), transaction.atomic():
            record(Action.RUN_STARTED, chain="", actor=SYSTEM, at=AT)
    finally:
        done.set()
        holder.join()

    assert Event.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_eight_writers_leave_one_whole_chain():
    start, errors = threading.Barrier(WRITERS), []
    threads = [
        threading.Thread(target=write, args=(number, start, errors))
        for number in range(WRITERS)
    ]

    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        assert verify() == []  # safe beside writers
    for thread in threads:
        thread.join()

    assert errors == []
    assert Event.objects.count() == WRITERS * ROUNDS * 6
    assert verify() == []
    assert Head.objects.count() == 2
    assert (Person.objects.count(), Origin.objects.count()) == (3, 6)

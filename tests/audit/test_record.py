"""Events: written with their change, readable whatever they were given."""

import json
import uuid
from datetime import UTC, datetime, timedelta, timezone

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from ceadmin.audit.actors import SCHEDULE, SYSTEM, Actor, customer, visitor
from ceadmin.audit.choices import Action
from ceadmin.audit.models import COLUMNS, AppendOnly, Event, Head, Origin, Person
from ceadmin.audit.people import erase, remember
from ceadmin.audit.record import Entry, NotInTransaction, Subject, record, record_many
from ceadmin.audit.verify import verify
from ceadmin.lib.sealed import seal
from ceadmin.teams.models import Organization

AT = datetime(2026, 11, 23, 21, 30, tzinfo=UTC)
CHAIN = str(uuid.uuid4())
ANN = Actor(
    uuid.uuid4(), "person", "Ann", 7, frozenset({"owner"}), "192.0.2.7", "ann@x.test"
)

pytestmark = pytest.mark.django_db


def write(actor=ANN, chain=CHAIN, action=Action.RUN_STARTED, at=AT, **details) -> Event:
    """Record one event."""
    with transaction.atomic():
        return record(action, chain=chain, actor=actor, at=at, **details)


def facts_of(event: Event):
    """Return the facts as the database has them."""
    return json.loads(Event.objects.get(pk=event.pk).text)["facts"]


def test_an_event_says_who_what_why_and_what_came_of_it():
    instance = uuid.uuid4()

    write(
        subject=Subject("instance", instance, "Acme – EU"),
        run_uid=uuid.uuid4(),
        item_id=12,
        instance_uid=instance,
        provider_key="box",
        outcome="verified_dead",
        reason="Vendor leaked",
        ticket="SEC-1",
        facts={"status": 200},
    )

    event = Event.objects.get()
    assert (event.action, event.outcome, event.ticket) == (
        "run_started",
        "verified_dead",
        "SEC-1",
    )
    assert (event.role, event.actor_uid, event.actor_kind) == (
        "owner",
        ANN.uid,
        "person",
    )
    assert (event.subject_uid, event.instance_uid) == (str(instance), str(instance))
    assert facts_of(event) == {"status": 200}
    assert verify() == []


@pytest.mark.django_db(transaction=True)
def test_recording_outside_a_transaction_is_refused():
    with pytest.raises(NotInTransaction):
        record(Action.SIGNED_IN, chain="", actor=ANN, at=AT)

    assert not Event.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_an_event_goes_when_its_change_is_rolled_back():
    write()

    with pytest.raises(ZeroDivisionError), transaction.atomic():
        record(Action.SIGNED_IN, chain=CHAIN, actor=ANN, at=AT)
        raise ZeroDivisionError

    assert Event.objects.count() == 1
    assert verify() == []


def test_each_organization_has_a_chain_of_its_own():
    write(), write(), write(chain=""), write(chain=str(uuid.uuid4()))

    sequences = Event.objects.order_by("id").values_list("sequence", flat=True)

    assert list(sequences) == [1, 2, 1, 1]
    assert Head.objects.count() == 3
    assert verify() == []


def test_an_event_follows_the_one_before_it():
    first, second = write(), write()

    assert first.previous_hash == ""
    assert second.previous_hash == first.hash
    assert Head.objects.get().hash == second.hash


def test_many_events_lock_the_head_once():
    write()
    rows = [Entry(Action.ITEM_SETTLED, ANN, item_id=item) for item in range(300)]

    with CaptureQueriesContext(connection) as queries:
        record_many(CHAIN, rows, at=AT)

    heads = [query for query in queries if "audit_head" in query["sql"]]
    assert len(heads) == 2
    assert Event.objects.count() == 301
    assert verify() == []


def test_no_events_are_no_work(django_assert_num_queries):
    with django_assert_num_queries(0):
        record_many(CHAIN, [], at=AT)


@pytest.mark.parametrize(
    ("hostile", "written"),
    [
        ("a\0b", "a\\x00b"),
        ("\ud83d alone", "\\ud83d alone"),
        ("\x1b[31m\r\x7f\x85", "\\x1b[31m\\x0d\\x7f\\x85"),
        ("\uffff", "\\uffff"),
        ("tab\tand\nline", "tab\tand\nline"),
        ("𝕊 🔑 <script>", "𝕊 🔑 <script>"),
    ],
)
def test_hostile_text_is_written_visibly(hostile, written):
    event = write(
        subject=Subject("instance", "", hostile),
        reason=hostile,
        facts={hostile: hostile},
    )

    event.refresh_from_db()
    assert event.reason == event.subject_name == written
    assert facts_of(event) == {written: written}
    assert event.text.isascii()
    assert verify() == []


def test_facts_hold_what_json_holds():
    uid = uuid.uuid4()
    facts = {
        "bytes": b"\xff\x00ok",
        "uid": uid,
        "at": AT,
        "set": {"b", "a"},
        "many": (1, 2.5, None, True),
        "odd": [float("nan"), float("inf")],
        "action": Action.SIGNED_IN,
        1: {"deep": {"er": "x"}},
    }

    assert facts_of(write(facts=facts)) == {
        "bytes": "\\xff\\x00ok",
        "uid": str(uid),
        "at": "2026-11-23T21:30:00.000000+00:00",
        "set": ["a", "b"],
        "many": [1, 2.5, None, True],
        "odd": ["nan", "inf"],
        "action": "signed_in",
        "1": {"deep": {"er": "x"}},
    }


@pytest.mark.parametrize("odd", [object(), 1j, ValueError("x")])
def test_unexpected_facts_are_refused(odd):
    with pytest.raises(TypeError, match="cannot hold"):
        write(facts={"odd": odd})


def test_a_secret_never_becomes_a_fact():
    uid = uuid.uuid4()
    sealed = seal("organization.user_secret", uid, "hidden")
    secret = Organization(uid=uid, user_secret=sealed).user_secret

    with pytest.raises(TypeError, match="Secret"):
        write(facts={"secret": secret})


def test_long_text_is_cut_where_the_column_ends_and_a_reason_is_whole():
    event = write(
        subject=Subject("x" * 40, "", "n" * 999), ticket="t" * 999, reason="r" * 9999
    )

    event.refresh_from_db()
    assert (len(event.subject_name), len(event.ticket)) == (255, 120)
    assert event.ticket.endswith("…")
    assert len(event.reason) == 9999
    assert verify() == []


def test_the_time_is_kept_in_utc_to_the_microsecond():
    here = timezone(timedelta(hours=2))
    event = write(at=datetime(2026, 7, 1, 1, 2, 3, 4, tzinfo=here))

    event.refresh_from_db()
    assert json.loads(event.text)["at"] == "2026-06-30T23:02:03.000004+00:00"
    assert verify() == []


def test_a_time_without_a_zone_is_refused():
    with pytest.raises(ValueError, match="time zone"):
        write(at=datetime(2026, 1, 1))


def test_a_clock_that_goes_back_breaks_no_chain():
    write(at=AT)
    write(at=AT - timedelta(days=1))

    assert verify() == []


def test_an_act_that_is_none_is_refused():
    with pytest.raises(ValueError, match="burned"):
        write(action="burned")


def test_a_name_stands_beside_the_event_not_in_it():
    event = write()

    person = Person.objects.get()
    assert (person.uid, person.name, person.mail, person.user_id) == (
        ANN.uid,
        "Ann",
        "ann@x.test",
        7,
    )
    assert Origin.objects.get().address == "192.0.2.7"
    assert event.origin_uid == Origin.objects.get().uid
    assert "Ann" not in event.text
    assert "192.0.2.7" not in event.text


def test_a_person_and_an_address_are_kept_once():
    write()
    write()

    assert Person.objects.count() == Origin.objects.count() == 1


def test_an_erased_person_leaves_every_event_as_it_was():
    events = [write(), write()]

    erase(ANN.uid, at=AT)

    person = Person.objects.get()
    assert (person.name, person.mail, person.user_id) == ("", "", None)
    assert not Origin.objects.exists()
    assert list(Event.objects.order_by("id")) == events
    assert verify() == []


def test_an_erased_person_stays_erased():
    write()
    erase(ANN.uid, at=AT)

    remember(ANN.uid, user_id=7, name="Ann", mail="ann@x.test")
    write()

    assert Person.objects.get().name == ""
    assert verify() == []


def test_a_person_who_was_renamed_has_the_new_name():
    write()

    remember(ANN.uid, user_id=7, name="Ann Lee", mail="lee@x.test")

    assert str(Person.objects.get()) == "Ann Lee"


def test_others_than_persons_act_without_a_pseudonym():
    link = uuid.uuid4()
    for actor in (SYSTEM, SCHEDULE, customer(link, "192.0.2.1"), visitor()):
        write(actor)

    kinds = Event.objects.order_by("id").values_list("actor_kind", flat=True)
    assert list(kinds) == ["system", "schedule", "customer", "customer"]
    assert not Person.objects.exists()
    assert Origin.objects.get().actor_uid == link


def test_the_orm_refuses_to_change_or_remove_events():
    event = write()
    attempts = [
        lambda: event.save(),
        lambda: event.delete(),
        lambda: Event.objects.all().delete(),
        lambda: Event.objects.update(reason=""),
        lambda: Event.objects.create(),
        lambda: Event.objects.bulk_create([Event()]),
        lambda: Event.objects.bulk_update([event], ["reason"]),
        lambda: Event.objects.get_or_create(hash="x"),
    ]

    for attempt in attempts:
        with pytest.raises(AppendOnly), transaction.atomic():
            attempt()
    assert verify() == []


@pytest.mark.parametrize(
    "column", [{"action": "burned"}, {"actor_kind": "ghost"}], ids=["action", "actor"]
)
def test_the_database_knows_the_words(column):
    event = write()
    values = {name: getattr(event, name) for name in COLUMNS}

    with pytest.raises(IntegrityError), transaction.atomic():
        Event.objects.append([values | {"sequence": 2, "hash": "x"} | column])

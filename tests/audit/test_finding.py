"""Events are found page by page, along indexes, and it is said where looking stopped."""

import uuid
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection, transaction

from ceadmin.audit import finding
from ceadmin.audit.actors import SCHEDULE, SYSTEM
from ceadmin.audit.choices import Action
from ceadmin.audit.finding import Place, Question, find, place_of, stream
from ceadmin.audit.models import Event
from ceadmin.audit.record import Entry, Subject, record_many

pytestmark = pytest.mark.django_db

AT = datetime(2026, 11, 23, 12, tzinfo=UTC)
RUN = str(uuid.uuid4())


def write(chain: str, count: int, at: datetime = AT, **details) -> None:
    """Record so many events at one moment."""
    details.setdefault("action", Action.RUN_STARTED)
    details.setdefault("actor", SYSTEM)
    with transaction.atomic():
        record_many(chain, [Entry(**details)] * count, at=at)


def walked(question: Question, size: int = 3) -> list[int]:
    """Return the keys of all pages, one after the other."""
    return [event.pk for page in stream(question, size) for event in page]


@pytest.fixture
def history(db) -> None:
    """Three chains, written in turns, two of them at the same moments."""
    for hour in range(4):
        at = AT + timedelta(hours=hour)
        write("a", 2, at, run_uid=RUN, outcome="refused", reason="Vendor leaked")
        write("b", 3, at, actor=SCHEDULE, provider_key="box")
        write("", 1, at, subject=Subject("person", "ann"), ticket="SEC-7")


QUESTIONS = {
    "a chain": (Question(("a",)), {"chain": "a"}),
    "two chains": (Question(("a", "b")), {"chain__in": ["a", "b"]}),
    "everything": (Question(None), {}),
    "no chain": (Question(()), {"pk": 0}),
    "act": (Question(("a", "b"), action="run_started"), {"chain__in": ["a", "b"]}),
    "outcome": (Question(None, outcome="refused"), {"outcome": "refused"}),
    "provider": (Question(("b",), provider_key="box"), {"chain": "b"}),
    "actor": (Question(None, actor_uid=SCHEDULE.uid), {"chain": "b"}),
    "run": (Question(None, run_uid=RUN), {"run_uid": RUN}),
    "a run of others": (Question(("b",), run_uid=RUN), {"pk": 0}),
    "anything": (Question(None, about=RUN), {"run_uid": RUN}),
    "ticket": (Question(None, words="sec-7"), {"ticket": "SEC-7"}),
    "two words": (Question(None, words="leaked vendor"), {"chain": "a"}),
    "dates": (
        Question(None, since=AT + timedelta(hours=1), until=AT + timedelta(hours=3)),
        {"at__gte": AT + timedelta(hours=1), "at__lt": AT + timedelta(hours=3)},
    ),
}


@pytest.mark.parametrize("name", QUESTIONS)
def test_pages_hold_each_event_that_answers_once_the_newest_first(history, name):
    question, same = QUESTIONS[name]
    wanted = Event.objects.filter(**same).order_by("-id").values_list("pk", flat=True)

    found = walked(question)

    assert found == list(wanted)


def test_events_of_one_moment_are_not_lost_between_pages(db):
    write("a", 7)

    assert len(set(walked(Question(("a",)), size=2))) == 7


def test_a_clock_that_went_back_loses_nothing(db):
    for minutes in (5, 1, 9, 1):
        write("a", 2, AT + timedelta(minutes=minutes))

    assert len(set(walked(Question(("a",)), size=3))) == 8


def test_looking_stops_and_says_where(db, monkeypatch):
    monkeypatch.setattr(finding, "REACH", 10)
    write("a", 1, ticket="OLD-1")
    write("a", 30, AT + timedelta(hours=1))

    page = find(Question(("a",), words="OLD-1"))

    assert (page.events, page.reached) == ([], True)
    further = find(Question(("a",), words="OLD-1"), page.older)
    assert [one.ticket for one in further.events] == ["OLD-1"]
    assert (further.reached, further.older) == (False, None)


def test_how_far_looking_got_does_not_tell_of_others_events(db, monkeypatch):
    monkeypatch.setattr(finding, "REACH", 10)
    write("a", 5, ticket="X")
    write("b", 50)

    page = find(Question(("a",), words="nothing"))

    assert (page.events, page.reached) == ([], False)


def test_the_name_of_a_place_leads_back_to_it():
    place = Place(AT + timedelta(microseconds=7), 12)

    assert place_of(str(place)) == place


@pytest.mark.parametrize(
    "text", ["", "-", "1", "a-b", "-5-1", "1-" + "9" * 19, "9" * 18 + "-1", "١-١"]
)
def test_what_is_no_place_is_none_or_harmless(db, text):
    write("a", 1)

    assert find(Question(("a",)), place_of(text)).reached is False


LANES = {
    "events_of_chain": Question(("a",)),
    "events_by_action": Question(("a",), action="run_started"),
    "events_by_outcome": Question(("a",), outcome="refused"),
    "events_of_run": Question(("a",), run_uid=RUN),
    "events_of_instance": Question(("a",), instance_uid=RUN),
    "events_of_subject": Question(("a",), subject_uid="ann"),
    "events_of_actor": Question(None, actor_uid=SCHEDULE.uid),
}


@pytest.mark.parametrize("index", LANES)
def test_each_lane_goes_along_its_index(history, index):
    (lane,) = finding._lanes(LANES[index])
    rows = lane._ordered(Place(AT + timedelta(days=1), 10**9))[:10]

    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":  # of so few rows it would read all
            cursor.execute("SET LOCAL enable_seqscan = off")
            cursor.execute("SET LOCAL enable_bitmapscan = off")
            cursor.execute("SET LOCAL enable_sort = off")
    plan = rows.explain()

    assert index in plan
    assert "TEMP B-TREE" not in plan

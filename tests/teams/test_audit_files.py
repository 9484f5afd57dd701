"""The audit's files, its receipts and the trace that reading leaves."""

import csv
import hashlib
import io
import json
import uuid
from datetime import UTC, datetime

import pytest
from django.db import connection, transaction
from django.test import Client
from django.urls import reverse

from ceadmin.audit import finding
from ceadmin.audit.canonical import digest
from ceadmin.audit.choices import Action
from ceadmin.audit.models import Event
from ceadmin.audit.people import erase
from ceadmin.audit.record import Subject, record
from ceadmin.teams.models import Membership, User
from ceadmin.teams.permissions import actor_of
from instances import runs, selection
from tests.audit_support import lifted
from tests.people import PASSWORD, Team
from tests.teams.test_audit_pages import LIST

pytestmark = pytest.mark.django_db

AT = datetime(2026, 11, 23, tzinfo=UTC)
RUN, INSTANCE = uuid.uuid4(), uuid.uuid4()
RECEIPT = f"/admin/audit/event/receipt/{INSTANCE}/{RUN}/"


@pytest.fixture
def auditor(team: Team) -> User:
    """Vic, who may read Acme's audit."""
    Membership.objects.filter(user=team.vic).update(is_auditor=True)
    return team.vic


@pytest.fixture
def client(auditor) -> Client:
    """Vic's browser, after signing in."""
    client = Client()
    assert client.login(username=auditor.email, password=PASSWORD)
    return client


@pytest.fixture
def told(team: Team) -> list[Event]:
    """A revocation of Rita's, approved by Olga, and something of another organization."""
    rita = actor_of(team.rita, team.acme, "192.0.2.7")
    olga = actor_of(team.olga, team.acme, "192.0.2.8")
    run = {"subject": Subject("run", RUN, "Revoke 1"), "run_uid": RUN}
    item = {"subject": Subject("instance", INSTANCE, "=Kilo"), "instance_uid": INSTANCE}
    item |= {"run_uid": RUN, "item_id": 7, "provider_key": "box"}
    why = {"reason": "Vendor leaked", "ticket": "SEC-7", "chain": team.acme.chain}
    why["at"] = AT
    with transaction.atomic():
        record(
            Action.RUN_STARTED, chain=team.other.chain, actor=rita, at=AT, ticket="NO"
        )
        events = [
            record(Action.RUN_APPROVED, actor=olga, **run, **why),
            record(Action.RUN_STARTED, actor=rita, **run, **why),
            record(
                Action.REVOKE_INTENDED,
                actor=rita,
                facts={"grant": "demo1:abc", "to": "https://api.box.com/oauth2/revoke"},
                **item,
                **why,
            ),
            record(
                Action.REVOKE_ANSWERED,
                actor=rita,
                facts={"status": 200, "duration_ms": 41},
                **item,
                **why,
            ),
            record(
                Action.ITEM_SETTLED,
                actor=rita,
                outcome="verified_dead",
                facts={"kind": "revoke", "source": "dead"},
                **item,
                **why,
            ),
        ]
    return events


def read(client: Client, address: str, **query: str) -> bytes:
    """Return what an address streams."""
    response = client.get(address, query)
    assert response.status_code == 200, response
    return b"".join(response.streaming_content)


def lines_of(client: Client, **query: str) -> list[dict]:
    """Return the lines of the file of what a list shows."""
    return [
        json.loads(line)
        for line in read(client, f"{LIST}export/jsonl/", **query).splitlines()
    ]


# Files


def test_lines_hold_what_is_shown_and_prove_themselves(client, told):
    lines = lines_of(client, ticket="", outcome="verified_dead")

    assert [line["hash"] for line in lines] == [told[-1].hash]
    (line,) = lines
    text = json.dumps(line["event"], sort_keys=True, separators=(",", ":"))
    assert digest(text) == line["hash"]
    assert (line["actor_name"], line["address"]) == ("Rita", "192.0.2.7")


def test_a_spreadsheet_calculates_nothing(client, told):
    text = read(client, f"{LIST}export/csv/", q="SEC-7").decode()

    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["hash"] for row in rows] == [one.hash for one in reversed(told)]
    assert rows[0]["subject_name"] == "'=Kilo"
    cells = [cell for row in rows for cell in row.values() if cell]
    assert [cell for cell in cells if cell[0] in "=+-@"] == []


def test_a_file_holds_nothing_of_other_organizations(client, team, told):
    assert "NO" not in read(client, f"{LIST}export/jsonl/").decode()
    assert lines_of(client, chain=team.other.chain) == []


def test_a_file_goes_on_past_where_a_page_stops(client, team, told, monkeypatch):
    monkeypatch.setattr(finding, "REACH", 1)

    assert len(lines_of(client, q="SEC-7")) == len(told)


def test_a_file_asks_who_it_is_and_is_recorded_before_it_is_read(client, team, told):
    session = client.session
    del session["confirmed_at"]
    session.save()
    asked = client.get(f"{LIST}export/csv/", {"q": "SEC-7"})

    assert asked.status_code == 403
    assert b"Confirm" in asked.content
    assert not Event.objects.filter(action=Action.AUDIT_EXPORTED).exists()

    address = f"{LIST}export/csv/?q=SEC-7"
    answer = {asked.context["held_name"]: asked.context["held"]}
    then = client.post(address, answer | {"confirm_password": PASSWORD})
    assert (then.status_code, then["Location"]) == (302, address)
    client.get(address)  # nobody reads the body
    event = Event.objects.get(action=Action.AUDIT_EXPORTED)
    assert (event.chain, event.actor_uid) == (team.acme.chain, team.vic.uid)
    assert '"narrowed_by":["words"]' in event.text
    assert "SEC-7" not in event.text


@pytest.mark.parametrize("name", ["olga", "rita", "otto", "eve"])
@pytest.mark.parametrize("address", [f"{LIST}export/csv/", RECEIPT])
def test_whoever_is_no_auditor_gets_neither_file_nor_receipt(team, told, name, address):
    client = Client()
    client.login(username=f"{name}@example.com", password=PASSWORD)

    assert client.get(address).status_code == 403


def test_an_auditor_of_another_organization_gets_no_receipt(team, told):
    Membership.objects.filter(user=team.eve).update(is_auditor=True)
    client = Client()
    client.login(username="eve@example.com", password=PASSWORD)

    assert client.get(RECEIPT).status_code == 404


def test_there_are_no_other_files(client):
    assert client.get(f"{LIST}export/xml/").status_code == 404
    assert client.post(f"{LIST}export/csv/").status_code == 405


# Reading leaves a trace


def reads(team: Team) -> int:
    """Return how often Acme's audit was read."""
    told = Event.objects.filter(action=Action.AUDIT_READ, chain=team.acme.chain)
    return told.count()


def test_reading_is_recorded_once_a_session_and_hour(client, team, told):
    for _ in range(3):
        client.get(LIST)
        client.get(reverse("admin:audit_event_change", args=[told[0].pk]))

    assert reads(team) == 1
    event = Event.objects.get(action=Action.AUDIT_READ)
    assert (event.actor_uid, event.role) == (team.vic.uid, "auditor,viewer")


def test_an_hour_later_and_in_another_session_it_is_recorded_again(client, team, told):
    client.get(LIST)
    session = client.session
    session["audit_read"] = dict.fromkeys(session["audit_read"], 0)
    session.save()
    client.get(LIST)
    assert reads(team) == 2

    other = Client()
    other.login(username=team.vic.email, password=PASSWORD)
    other.get(LIST)
    assert reads(team) == 3


def test_nothing_is_recorded_of_what_was_not_shown(client, team, told):
    client.get(LIST, {"q": "no such words"})

    assert reads(team) == 0


def test_each_receipt_that_is_opened_is_recorded(client, team, told):
    for _ in range(2):
        assert client.get(RECEIPT).status_code == 200

    event = Event.objects.get(action=Action.AUDIT_READ)
    assert (event.subject_uid, event.run_uid) == (str(INSTANCE), str(RUN))


# Receipts


def test_a_receipt_tells_everything_of_one_revocation(client, told):
    page = client.get(RECEIPT).content.decode()

    for part in (
        *("Verified dead", "=Kilo", "Box", "Vendor leaked", "SEC-7"),
        *("Rita", "192.0.2.7", "Olga", "A run was approved.", "demo1:abc"),
        *("https://api.box.com/oauth2/revoke", "<dd>200</dd>", "<dd>41</dd>"),
        *("Dead: the token no longer works", "manage.py verify_audit"),
        *(one.hash for one in told),
    ):
        assert part in page, part


def test_the_hash_of_a_receipt_is_that_of_its_events(client, told):
    receipt = client.get(RECEIPT).context["receipt"]

    hashes = "".join(f"{one.hash}\n" for one in told)
    assert receipt.hash == hashlib.sha256(hashes.encode()).hexdigest()


def test_a_receipt_of_an_altered_event_says_so(client, told):
    with lifted(), connection.cursor() as cursor:
        cursor.execute(
            "UPDATE audit_event SET outcome = 'refused' WHERE id = %s", [told[-1].pk]
        )

    page = client.get(RECEIPT).content.decode()
    assert "This receipt proves nothing until that is explained." in page
    assert "Its columns no longer say what its text says" in page


def test_a_receipt_forgets_who_was_erased(client, team, told):
    erase(team.rita.uid, at=AT)

    page = client.get(RECEIPT).content.decode()
    assert "Rita" not in page
    assert "192.0.2.7" not in page
    assert f"Person {str(team.rita.uid)[:8]}" in page


@pytest.mark.parametrize(
    "address",
    [
        f"/admin/audit/event/receipt/{RUN}/{INSTANCE}/",
        f"/admin/audit/event/receipt/{INSTANCE}/{uuid.uuid4()}/",
    ],
)
def test_what_was_not_revoked_has_no_receipt(client, told, address):
    assert client.get(address).status_code == 404


# One event


def test_an_event_shows_its_place_and_its_neighbours(client, team, told):
    page = client.get(reverse("admin:audit_event_change", args=[told[1].pk]))

    beside = page.context["beside"]
    assert (beside.before, beside.after) == (told[0], told[2])
    assert beside.problem == page.context["proof"].problem == ""
    assert b"The same" in page.content


@pytest.mark.parametrize(
    ("gone", "says"), [(0, "The event before it is gone"), (2, "The event behind it")]
)
def test_a_gap_beside_an_event_is_told(client, told, gone, says):
    with lifted(), connection.cursor() as cursor:
        cursor.execute("DELETE FROM audit_event WHERE id = %s", [told[gone].pk])

    page = client.get(reverse("admin:audit_event_change", args=[told[1].pk]))
    assert says in page.content.decode()


def test_a_list_that_stopped_looking_says_how_far_it_came(client, told, monkeypatch):
    monkeypatch.setattr(finding, "REACH", 2)

    page = client.get(LIST, {"q": "no such words"})

    text = page.content.decode()
    assert "what is older was not looked through" in text
    assert page.context["cl"].older_query in text.replace("&amp;", "&")


def test_pages_lead_to_older_ones_and_back_to_the_newest(client, team, told):
    actor = actor_of(team.rita, team.acme)
    with transaction.atomic():
        for _ in range(60):
            record(Action.RUN_PAUSED, chain=team.acme.chain, actor=actor, at=AT)

    first = client.get(LIST, {"action__exact": "run_paused"}).context["cl"]
    older = client.get(LIST + first.older_query).context["cl"]

    assert (len(first.result_list), len(older.result_list)) == (50, 10)
    assert older.older_query == ""
    assert (
        client.get(LIST + older.newest_query).context["cl"].result_list[0]
        == (first.result_list[0])
    )


def test_two_days_are_chosen_by_a_form(client, told):
    found = client.get(LIST, {"at__gte": "2026-11-23", "at__lte": "2026-11-23"})
    none = client.get(LIST, {"at__gte": "2026-11-24", "at__lte": "2026-11-25"})

    assert len(found.context["cl"].result_list) == len(told)
    assert len(none.context["cl"].result_list) == 0
    assert "Date: 2026-11-23 – 2026-11-23" in found.content.decode()


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ({"run_uid": str(RUN)}, 5),
        ({"instance_uid": str(INSTANCE)}, 3),
        ({"provider_key": "box"}, 3),
        ({"actor_uid": "olga"}, 1),
        ({"provider_key": "box", "action__exact": "item_settled"}, 1),
        ({"q": "sec-7 leaked"}, 5),
    ],
)
def test_filters_narrow_the_list(client, team, told, query, count):
    if "actor_uid" in query:
        query = {"actor_uid": str(team.olga.uid)}

    page = client.get(LIST, query)

    assert len(page.context["cl"].result_list) == count
    assert page.context["cl"].has_active_filters is ("q" not in query)


def test_a_run_s_page_tells_auditors_what_was_done(client, team):
    chosen = selection.everything()
    run = runs.create("probe", team.acme, chosen, user=team.olga, now=AT)
    address = reverse("admin:instances_run_change", args=[run.pk])

    page = client.get(address).content.decode()

    assert "What was done with it" in page
    assert "A run was drafted." in page
    assert reads(team) == 1
    olga = Client()
    olga.login(username=team.olga.email, password=PASSWORD)
    assert "What was done with it" not in olga.get(address).content.decode()


def test_a_mistyped_address_is_found_by_its_fingerprint(team, told):
    root = User.objects.create_superuser("root@example.com", PASSWORD)
    page = Client()
    page.post("/admin/login/", {"username": "Stranger@x.test", "password": "no"})
    client = Client()
    client.login(username=root.email, password=PASSWORD)

    found = client.get(LIST, {"q": "stranger@x.test"}).context["cl"].result_list
    none = client.get(LIST, {"q": "other@x.test"}).context["cl"].result_list

    assert [one.action for one in found] == [Action.SIGN_IN_REFUSED]
    assert none == []

"""The audit's pages: auditors read theirs, superusers all, nobody writes."""

from datetime import UTC, datetime

import pytest
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from ceadmin.audit.actors import SYSTEM
from ceadmin.audit.choices import Action
from ceadmin.audit.models import Event
from ceadmin.audit.people import erase
from ceadmin.audit.record import Subject, record
from ceadmin.teams.models import Membership, User
from ceadmin.teams.permissions import actor_of
from tests.audit_support import lifted
from tests.people import Team

pytestmark = pytest.mark.django_db

LIST = "/admin/audit/event/"
DAY = "2026-11-23"
AT = datetime(2026, 11, 23, tzinfo=UTC)


def browser(user: User) -> Client:
    """Return a signed-in browser."""
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def auditor(team: Team) -> User:
    """Vic, who may read Acme's audit."""
    Membership.objects.filter(user=team.vic).update(is_auditor=True)
    return team.vic


@pytest.fixture
def story(team: Team) -> Event:
    """An event of Acme about a revocation, and others around it."""
    rita = actor_of(team.rita, team.acme, "192.0.2.7")
    with transaction.atomic():
        record(
            Action.SECRET_CHANGED,
            chain=team.other.chain,
            actor=SYSTEM,
            at=AT,
            reason="b",
        )
        record(Action.RUN_STARTED, chain=team.acme.chain, actor=SYSTEM, at=AT)
        return record(
            Action.ITEM_SETTLED,
            chain=team.acme.chain,
            actor=rita,
            at=AT,
            subject=Subject("instance", "", "Kilo – EU"),
            instance_uid=team.rita.uid,
            outcome="verified_dead",
            reason="Vendor <b>leaked</b>",
            ticket="SEC-7",
            facts={"status": 200},
        )


def listed(client: Client, **query: str) -> str:
    """Return the list as text."""
    response = client.get(LIST, query)
    assert response.status_code == 200
    return response.content.decode()


def test_an_auditor_reads_what_happened(auditor, story):
    page = listed(browser(auditor))

    assert "An instance&#x27;s part of a run was settled." in page
    assert "Rita" in page
    assert "Kilo – EU" in page
    assert "Vendor &lt;b&gt;leaked&lt;/b&gt;" in page
    assert (
        "A secret was changed."
        not in page.partition("<table")[2].partition("</table")[0]
    )


def test_one_event_is_shown_whole(auditor, story):
    page = browser(auditor).get(reverse("admin:audit_event_change", args=[story.pk]))

    text = page.content.decode()
    for part in (
        "Rita",
        "192.0.2.7",
        "SEC-7",
        story.hash,
        "<dt>Status of the answer</dt><dd>200</dd>",
    ):
        assert part in text
    assert 'name="_save"' not in text


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"q": "leaked"}, True),
        ({"q": "SEC-7"}, True),
        ({"q": "Kilo"}, True),
        ({"q": "nothing such"}, False),
        ({"action__exact": "item_settled"}, True),
        ({"action__exact": "signed_in"}, False),
        ({"outcome": "verified_dead"}, True),
        ({"outcome": "refused"}, False),
        ({"at__gte": f"{DAY} 00:00Z", "at__lt": f"{DAY} 23:59Z"}, True),
        ({"at__lt": f"{DAY} 00:00Z"}, False),
        ({"subject_uid": "x"}, False),
    ],
)
def test_events_are_found_by_what_they_say(auditor, story, query, found):
    assert ("SEC-7</td>" in listed(browser(auditor), **query)) is found


def test_events_are_found_by_organization_instance_and_run(team, auditor, story):
    client = browser(auditor)

    assert "SEC-7</td>" in listed(client, chain=team.acme.chain)
    assert "SEC-7</td>" not in listed(client, chain=team.other.chain)
    assert "SEC-7</td>" in listed(client, q=str(team.rita.uid))


@pytest.mark.parametrize("name", ["olga", "rita", "otto", "eve"])
def test_whoever_is_no_auditor_reads_nothing(team, story, name):
    client = browser(getattr(team, name))

    assert client.get(LIST).status_code == 403
    page = client.get(reverse("admin:audit_event_change", args=[story.pk]))
    assert page.status_code in (302, 403)


def test_a_superuser_reads_everything_and_the_system_too(team, story):
    root = User.objects.create_superuser("root@example.com", name="Rooty")

    page = listed(browser(root))

    assert "A secret was changed." in page
    assert "A person signed in." in page
    assert "Rooty" in page
    assert "A person signed in." in listed(browser(root), chain="system")
    for event in Event.objects.all():
        address = reverse("admin:audit_event_change", args=[event.pk])
        assert browser(root).get(address).status_code == 200


@pytest.mark.parametrize("tab", ["change", "delete"])
def test_nobody_changes_or_removes_an_event(team, story, tab):
    root = User.objects.create_superuser("root@example.com")
    address = reverse(f"admin:audit_event_{tab}", args=[story.pk])

    assert (
        browser(root).post(address, {"reason": "x", "post": "yes"}).status_code == 403
    )
    assert browser(root).get(f"{LIST}add/").status_code == 403
    assert Event.objects.get(pk=story.pk).reason == story.reason


def test_an_erased_person_is_shown_as_such(team, auditor, story):
    erase(team.rita.uid, at=AT)

    page = listed(browser(auditor))
    event = browser(auditor).get(reverse("admin:audit_event_change", args=[story.pk]))

    assert "Rita" not in page
    assert f"Person {str(team.rita.uid)[:8]}" in page
    assert "192.0.2.7" not in event.content.decode()


def test_events_of_a_lost_organization_stay_readable(team, story):
    root = User.objects.create_superuser("root@example.com")
    chain = team.other.chain
    team.other.delete()

    assert chain in listed(browser(root), chain=chain)


def test_the_organization_chosen_for_every_page_narrows_the_audit(team, story):
    root = User.objects.create_superuser("root@example.com")
    client = browser(root)
    client.post("/admin/switch/", {"organization": str(team.other.uid)})

    rows = listed(client).partition("<tbody")[2].partition("</tbody")[0]

    assert "A secret was changed." in rows
    assert "SEC-7" not in rows


def test_a_page_of_events_asks_for_names_once(team, auditor, story):
    actor = actor_of(team.rita, team.acme)
    with transaction.atomic():
        for _ in range(60):
            record(Action.RUN_STARTED, chain=team.acme.chain, actor=actor, at=AT)
    client = browser(auditor)

    with CaptureQueriesContext(connection) as queries:
        listed(client)

    # once for the page, once for the filter by who, once for who reads
    assert len([query for query in queries if "audit_person" in query["sql"]]) == 3


def test_an_id_finds_all_that_is_about_it(team, auditor, story):
    run = "0c9b8a4e-0000-4000-8000-000000000001"
    with transaction.atomic():
        record(
            Action.RUN_FINISHED,
            chain=team.acme.chain,
            actor=SYSTEM,
            at=AT,
            run_uid=run,
            ticket="RUN-1",
        )
        record(
            Action.RUN_PAUSED,
            chain=team.acme.chain,
            actor=SYSTEM,
            at=AT,
            subject=Subject("run", run),
            ticket="RUN-2",
        )

    page = listed(browser(auditor), q=f" {run.upper()} ")

    assert "RUN-1</td>" in page
    assert "RUN-2</td>" in page
    assert "SEC-7</td>" not in page


def test_an_altered_event_can_still_be_looked_at(team, auditor, story):
    with lifted(), connection.cursor() as cursor:
        cursor.execute("UPDATE audit_event SET text = '[]' WHERE id = %s", [story.pk])

    page = browser(auditor).get(reverse("admin:audit_event_change", args=[story.pk]))

    assert "The text of this event was altered." in page.content.decode()


def test_an_outcome_is_chosen_by_its_word(auditor, story):
    page = browser(auditor).get(LIST).context["cl"]

    filters = {spec.title: spec for spec in page.filter_specs}
    shown = {one["display"]: one for one in filters["outcome"].choices(page)}

    found = browser(auditor).get(LIST + shown["Verified dead"]["query_string"])
    assert [one.pk for one in found.context["cl"].result_list] == [story.pk]


def recorded(team: Team, action: str, facts: dict) -> None:
    with transaction.atomic():
        record(action, chain=team.acme.chain, actor=SYSTEM, at=AT, facts=facts)


@pytest.mark.parametrize(
    ("action", "facts", "told"),
    [
        (
            Action.STATUS_CHANGED,
            {"from": "connected", "to": "revoked", "reason": "<b>"},
            "Connected → Revoked",
        ),
        (
            Action.REVOKE_ANSWERED,
            {"state": "answered", "status": 400, "code": "<i>", "try": 1},
            "400 · &lt;i&gt;",
        ),
        (Action.LIST_EXPORTED, {"what": "instances", "rows": 12}, "12"),
        (Action.MEMBER_CHANGED, {"before": ["viewer"], "after": ["owner"]}, "→ owner"),
    ],
)
def test_a_row_says_what_an_event_came_to(team, auditor, action, facts, told):
    recorded(team, action, facts)

    (row,) = browser(auditor).get(LIST).context["cl"].result_list
    html = browser(auditor).get(LIST).content.decode()

    assert f"{row.get_action_display()}".replace("'", "&#x27;") in html
    assert told in html


def test_a_row_whose_text_was_altered_is_shown_all_the_same(team, auditor):
    recorded(team, Action.STATUS_CHANGED, {"from": "connected", "to": "revoked"})
    with lifted(), connection.cursor() as cursor:
        cursor.execute("UPDATE audit_event SET text = '[]'")

    page = browser(auditor).get(LIST)

    assert page.status_code == 200
    assert "Connected → Revoked" not in page.content.decode()

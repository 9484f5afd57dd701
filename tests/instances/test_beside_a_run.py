"""Looking at pages writes nothing: on SQLite a page that writes waits for the run's own writes."""

from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from ceadmin.audit.models import Event
from instances.choices import RunKind
from instances.models import Instance, Item, ReconnectLink
from providers.models import ProviderApp
from tests.instances.fleet import Fleet

WRITES = ("INSERT", "UPDATE", "DELETE", "REPLACE", "BEGIN", "SAVEPOINT")


@pytest.fixture
def boss(client, team):
    """A superuser whose session was just used."""
    team.otto.is_superuser = True
    team.otto.save()
    client.force_login(team.otto)
    client.get(reverse("admin:index"))
    return client


def addresses(emulator, team) -> list[str]:
    """Return the address of a page of each kind, with rows behind it."""
    fleet = Fleet(emulator, team.acme, team.rita)
    fleet.synced("box", 2)
    rows = [fleet.run(RunKind.PROBE), fleet.draft(RunKind.REVOKE)]
    rows += [fleet.run(RunKind.RECONNECT), fleet.run(RunKind.DRILL)]
    runs = [reverse("admin:instances_run_live", args=[run.pk]) for run in rows]
    rows += [Instance.objects.first(), Item.objects.first()]
    rows += [ReconnectLink.objects.first(), Event.objects.first(), team.acme, team.vic]
    rows += [ProviderApp.objects.first()]
    names = {f"{row._meta.app_label}_{row._meta.model_name}" for row in rows}
    pages = [
        reverse(
            f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk]
        )
        for row in rows
    ]
    lists = [reverse(f"admin:{name}_changelist") for name in sorted(names)]
    return [reverse("admin:index"), *lists, *pages, *runs]


def test_no_page_writes_or_opens_a_transaction(emulator, team, boss):
    written = {}
    pages = addresses(emulator, team)
    # Whoever reads the audit is told in it, once an hour.
    boss.get(reverse("admin:audit_event_changelist"))
    for address in pages:
        with CaptureQueriesContext(connection) as asked:
            answer = boss.get(address)
        assert answer.status_code == 200, address
        found = [one["sql"] for one in asked if one["sql"].startswith(WRITES)]
        if found:
            written[address] = found

    assert written == {}


def test_the_end_of_a_session_moves_as_it_is_used(team, client, settings):
    client.force_login(team.vic)
    page = reverse("admin:index")
    start = timezone.now()

    moved = []
    for minutes in (0, 1, 4, 6, 7, 12):
        with time_machine.travel(start + timedelta(minutes=minutes), tick=False):
            moved.append(settings.SESSION_COOKIE_NAME in client.get(page).cookies)

    assert moved == [True, False, False, True, False, True]


def test_nobody_gets_a_session_by_looking(client, db, settings):
    answer = client.get(reverse("admin:login"))

    assert settings.SESSION_COOKIE_NAME not in answer.cookies

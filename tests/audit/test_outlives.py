"""Events outlive what they tell of, and migrations that remake their table."""

import io

import pytest
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from ceadmin.audit import triggers
from ceadmin.audit.models import Event
from ceadmin.audit.verify import verify
from ceadmin.checks import refuse_or_start
from ceadmin.data_checks import audit_problems
from ceadmin.teams.models import User
from instances import runs, selection
from instances.choices import RunKind
from instances.models import Instance, Run
from tests.audit_support import lifted
from tests.instances.crowds import make_instances
from tests.people import Team


def told(team: Team) -> list[tuple]:
    """Return all events after Rita drafted a run over Acme's instances."""
    make_instances(team.acme, 3)
    chosen = selection.everything()
    now = timezone.now()
    runs.create(RunKind.REVOKE, team.acme, chosen, user=team.rita, now=now)
    events = list(Event.objects.order_by("pk").values_list())
    assert events
    return events


def test_nothing_that_is_deleted_takes_events_with_it(team):
    before = told(team)

    Run.objects.all().delete()
    Instance.objects.all().delete()
    User.objects.exclude(pk=team.eve.pk).delete()
    team.acme.delete()

    assert list(Event.objects.order_by("pk").values_list()) == before
    assert verify() == []


@pytest.mark.django_db(transaction=True)
def test_a_migration_that_remakes_the_table_keeps_events_and_triggers(team):
    before = told(team)

    for target in ("0005", "0006"):
        call_command("migrate", "audit", target, verbosity=0, stdout=io.StringIO())
        assert triggers.triggers_present(), target

    assert list(Event.objects.order_by("pk").values_list()) == before
    assert verify() == []


@pytest.mark.django_db(transaction=True)
def test_a_remade_table_without_its_triggers_is_put_right_by_migrate(team):
    told(team)
    triggers.remove(connection)

    call_command("migrate", verbosity=0, stdout=io.StringIO())

    assert triggers.triggers_present()


def test_without_the_triggers_nothing_starts(db, capsys, monkeypatch):
    monkeypatch.setattr("ceadmin.checks.connections.close_all", lambda: None)
    refuse_or_start()

    with lifted():
        assert [one.id for one in audit_problems()] == ["ceadmin.E015"]
        refuse_or_start(migrates=True)
        with pytest.raises(SystemExit) as refused:
            refuse_or_start()

    assert refused.value.code == 3
    assert "ceadmin.E015" in capsys.readouterr().err


def test_a_database_without_tables_starts(db, monkeypatch):
    monkeypatch.setattr(triggers, "TABLE", "not_migrated_yet")

    assert list(audit_problems()) == []

"""Runs whose ground is taken away under them: each ends with a name for it, and nothing hangs."""

import pytest
from django.urls import reverse
from django.utils import timezone

from ceadmin.audit.models import Event
from ceadmin.teams.models import Organization
from instances import runs, selection
from instances.choices import ItemStatus, RunKind, RunStatus
from instances.engine import Shard
from instances.models import Instance, Item, Run
from instances.runs.work import FLOWS
from providers.models import ProviderApp
from tests.commands.conftest import manage
from tests.instances.killing import fleet, quick, revocations
from tests.people import PASSWORD

__all__ = ["fleet", "quick"]

pytestmark = pytest.mark.usefixtures("quick")


def begun(fleet, kind: str, count: int) -> Run:
    """Return a run of `count` Box instances of which two have ended."""
    fleet.synced("box", count)
    run = fleet.draft(kind)
    if run.status == RunStatus.DRAFT:
        runs.start(run, user=fleet.user, now=timezone.now(), reason="a test")

    class Short(Shard):
        """A worker whose time is up when two items have ended."""

        def _stopping(self) -> bool:
            begun = count - Item.objects.filter(status=ItemStatus.QUEUED).count()
            return super()._stopping() or (begun and self.left <= 0)

        left = 2

        def _end(self, thread, result) -> None:
            super()._end(thread, result)
            self.left -= 1

    run.refresh_from_db()
    Short(
        run, FLOWS[run.kind], worker="short", clock=timezone.now, connections=2
    ).work()
    run.chunks.update(not_before=None)
    assert 2 <= run.items.filter(status=ItemStatus.DONE).count() < count
    return run


def outcomes(run: Run) -> dict[str, int]:
    run.refresh_from_db()
    return runs.progress(run).outcomes


# The organization's secrets


def test_an_organization_s_secret_that_is_changed_in_the_middle_is_one_problem(fleet):
    run = begun(fleet, RunKind.REVOKE, 120)
    done = outcomes(run)["verified_dead"]
    fleet.emulator.control("organizations", {"id": 1, "organization_secret": "0" * 32})

    fleet.work(run)

    told = outcomes(run)
    assert (run.status, run.problem) == (RunStatus.FAILED, "organization_secrets")
    assert told["verified_dead"] == done
    assert told["cancelled"] > 60
    assert sum(told.values()) == 120
    organization = Organization.objects.get(pk=fleet.organization.pk)
    assert organization.secrets_problem == "one_secret_wrong"


@pytest.mark.parametrize("kind", [RunKind.PROBE, RunKind.REVOKE])
def test_a_secret_that_does_not_open_any_more_is_one_problem(fleet, settings, kind):
    run = begun(fleet, kind, 20)
    done = outcomes(run)
    sent = len(fleet.emulator.log())
    settings.FIELD_KEYS = "other:" + "b3RoZXItZmllbGQta2V5LTIuMDEyMzQ1Njc4OTAxMjM="

    fleet.work(run)

    told = outcomes(run)
    assert (run.status, run.problem) == (RunStatus.FAILED, "key_missing")
    assert "FIELD_KEYS" in run.problem_text
    assert told == done | {"cancelled": 20 - sum(done.values())}
    assert len(fleet.emulator.log()) == sent


@pytest.mark.parametrize("kind", [RunKind.PROBE, RunKind.REVOKE])
def test_a_secret_that_was_emptied_is_one_problem(fleet, kind):
    run = begun(fleet, kind, 20)
    done = outcomes(run)
    sent = len(fleet.emulator.log())
    organization = Organization.objects.get(pk=fleet.organization.pk)
    organization.user_secret = ""
    organization.save()

    fleet.work(run)

    told = outcomes(run)
    assert (run.status, run.problem) == (RunStatus.FAILED, "no_secrets")
    assert "secret" in run.problem_text
    assert told == done | {"cancelled": 20 - sum(done.values())}
    assert len(fleet.emulator.log()) == sent


# The provider app


def test_a_provider_app_that_is_deleted_under_a_run_sends_nothing_more(fleet, client):
    run = begun(fleet, RunKind.REVOKE, 12)
    done = outcomes(run)["verified_dead"]
    ProviderApp.objects.all().delete()

    fleet.work(run)

    told = outcomes(run)
    assert run.status == RunStatus.FINISHED
    assert told == {"verified_dead": done, "misconfigured": 12 - done}
    assert set(run.items.exclude(cause="").values_list("cause", flat=True)) == {
        "no_app"
    }
    assert len(revocations(fleet)) == done
    settled = Event.objects.filter(action="item_settled", run_uid=str(run.uid))
    assert settled.count() == 12
    assert client.login(username=fleet.user.email, password=PASSWORD)
    page = client.get(reverse("admin:instances_run_change", args=[run.pk]))
    assert "No provider app is assigned" in page.content.decode()


def test_what_lacked_its_app_is_done_once_it_has_one_again(fleet):
    run = begun(fleet, RunKind.REVOKE, 12)
    fleet.app("box")
    ProviderApp.objects.all().delete()
    fleet.work(run)
    fleet.apps.clear()
    app = fleet.app("box")
    Instance.objects.update(provider_app=app)

    again = runs.retry(run, user=fleet.user, now=timezone.now())
    runs.plan(again.pk, now=timezone.now())
    runs.start(again, user=fleet.user, now=timezone.now(), reason="its app is back")
    fleet.work(again)

    assert set(outcomes(again)) == {"verified_dead"}
    assert Instance.objects.filter(status="revoked").count() == 12


# A filter that matches nothing


@pytest.mark.parametrize("kind", [RunKind.PROBE, RunKind.RECONNECT])
def test_a_filter_that_matches_nothing_ends_at_once_and_says_so(fleet, client, kind):
    fleet.synced("box", 1)

    run = fleet.draft(kind, selection.of_filter({"provider": ["salesforce"]}))

    assert (run.status, run.problem, run.total) == (
        RunStatus.FINISHED,
        "empty_selection",
        0,
    )
    assert client.login(username=fleet.user.email, password=PASSWORD)
    page = client.get(reverse("admin:instances_run_change", args=[run.pk]))
    assert "Nothing to do" in page.content.decode()


def test_a_draft_of_nothing_can_be_looked_at_and_is_not_started(fleet):
    fleet.synced("box", 1)
    run = fleet.draft(RunKind.REVOKE, selection.of_filter({"provider": ["salesforce"]}))
    assert run.status == RunStatus.DRAFT
    assert runs.preview(run).total == 0

    with pytest.raises(runs.RunError, match="Nothing matches the selection"):
        runs.start(run, user=fleet.user, now=timezone.now(), reason="a test")


def test_a_command_whose_filter_matches_nothing_says_so(fleet):
    fleet.synced("box", 1)
    arguments = ("--organization", "acme", "--filter", "provider=salesforce")

    ended = manage("run", "probe", *arguments, "--dry-run", "--as", "rita@example.com")

    assert ended.code == 2
    assert "No instance matches" in ended.error
    assert not Run.objects.filter(kind=RunKind.PROBE).exists()

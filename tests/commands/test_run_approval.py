"""`manage.py run` and `drill` go no way round the second person, nor round the reason."""

import pytest

from ceadmin.audit.models import Event
from ceadmin.teams.models import Membership, Policy, User
from instances import runs
from instances.choices import RunStatus
from instances.models import Approval, Run
from tests.commands.conftest import manage
from tests.instances.approving import now
from tests.people import make_user

RITA = ("--as", "rita@example.com")
ACME = ("--organization", "acme", *RITA)
REVOKE = ("run", "revoke", *ACME, "--all", "--reason", "leaked secret")


@pytest.fixture
def strict(fleet):
    """Let every revocation and drill of Acme need an approver."""
    Policy.objects.update_or_create(
        organization=fleet.organization, defaults={"most_alone": 0}
    )
    return fleet


def draft_of(kind: str) -> Run:
    """Return the one draft of a kind that nobody started."""
    run = Run.objects.get(kind=kind)
    assert (run.status, run.started_at) == (RunStatus.DRAFT, None)
    return run


@pytest.mark.parametrize("superuser", [False, True])
def test_a_revocation_that_needs_an_approver_stays_a_draft_and_says_so(
    strict, superuser
):
    strict.synced()
    User.objects.filter(email="rita@example.com").update(is_superuser=superuser)
    before = strict.emulator.log()

    ended = manage(*REVOKE, "--ticket", "SEC-7")

    run = draft_of("revoke")
    assert ended.code == 1
    assert "here every one needs an approver. Ask for it first." in ended.error
    assert (run.reason, run.ticket) == ("leaked secret", "SEC-7")
    assert strict.emulator.log() == before
    denied = Event.objects.get(action="run_denied")
    assert (denied.outcome, denied.run_uid) == ("needs_approval", str(run.uid))
    assert denied.actor_uid == strict.user.uid


def test_what_says_why_it_waits_says_where_to_ask(strict):
    strict.synced()

    ended = manage(*REVOKE)

    assert (
        f"http://127.0.0.1:8000/admin/instances/run/{draft_of('revoke').pk}/change/"
        in ended.error
    )


def test_a_drill_that_needs_an_approver_stays_a_draft_and_says_so(strict):
    (instance,) = strict.synced()

    ended = manage("drill", instance.remote_id, *RITA, "--reason", "an exercise")

    assert draft_of("drill")
    assert ended.code == 1
    assert "needs an approver" in ended.error


def test_a_draft_of_a_command_is_approved_and_started_as_any_other(strict):
    strict.synced()
    manage(*REVOKE)
    run, ann = draft_of("revoke"), make_user("Ann", strict.organization)
    Membership.objects.filter(user=ann).update(is_approver=True)

    runs.ask(run, user=strict.user, now=now())
    runs.approve(run, user=ann, now=now(), digest=Approval.objects.get().digest)
    runs.start(run, user=strict.user, now=now())
    strict.work(run)

    assert run.status == RunStatus.FINISHED


@pytest.mark.parametrize("why", ["", " ", "...", "\u200b"])
@pytest.mark.parametrize("kind", ["revoke", "drill"])
def test_a_reason_that_says_nothing_is_none_and_leaves_no_draft(fleet, kind, why):
    (instance,) = fleet.synced()
    words = {
        "revoke": ("run", "revoke", *ACME, "--all"),
        "drill": ("drill", instance.remote_id, *RITA),
    }

    ended = manage(*words[kind], f"--reason={why}")

    assert ended.code == 2
    assert "--reason" in ended.error
    assert not Run.objects.filter(kind=kind).exists()

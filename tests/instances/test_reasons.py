"""Reasons and tickets: asked for where something is revoked, kept, and found again."""

import pytest

from ceadmin.audit.models import Event
from ceadmin.teams.models import Membership
from instances import runs
from instances.choices import RunKind, RunStatus
from instances.models import Approval, Run
from tests.instances.approving import court, now, refused
from tests.teams.inviting import browser
from tests.teams.pages import fields_of

__all__ = ["court"]

pytestmark = pytest.mark.django_db

LIST, AUDIT = "/admin/instances/run/", "/admin/audit/event/"
NOTHING = ["", " ", "...", "\u200b", "—"]


# Needed


@pytest.mark.parametrize("kind", [RunKind.REVOKE, RunKind.DRILL])
@pytest.mark.parametrize("reason", NOTHING)
def test_nothing_is_revoked_without_a_reason_in_words(court, kind, reason):
    run = court.draft(2, kind)

    error = refused(court.start, run, reason=reason)

    assert error.code == "reason_missing"
    assert Run.objects.get(pk=run.pk).status == RunStatus.DRAFT


@pytest.mark.parametrize("reason", NOTHING)
def test_no_approval_is_asked_for_without_one(court, reason):
    run = court.draft()

    error = refused(runs.ask, run, user=court.team.rita, now=now(), reason=reason)

    assert error.code == "reason_missing"
    assert not Approval.objects.exists()


@pytest.mark.parametrize("reason", NOTHING)
def test_the_page_says_so_and_keeps_the_ticket_that_was_typed(court, reason):
    run = court.draft(2)
    client = browser(court.team.rita)
    typed = {"reason": reason, "ticket": "SEC-7"}

    answer = client.post(f"{LIST}{run.pk}/do/start/", typed)

    assert answer.status_code == 422
    assert "Say why" in answer.content.decode()
    assert fields_of(answer.content.decode())["ticket"] == "SEC-7"
    assert Run.objects.get(pk=run.pk).status == RunStatus.DRAFT


def test_a_ticket_may_be_left_out_and_a_probe_needs_no_reason(court):
    run = court.draft(2)

    court.start(run, reason="Leaked secret")
    probe = court.again(RunKind.PROBE)

    assert (run.status, run.ticket) == (RunStatus.RUNNING, "")
    assert (probe.status, probe.reason) == (RunStatus.RUNNING, "")


# Found again


@pytest.fixture
def two(court) -> list[Run]:
    """Two revocations of Rita's at work, for different reasons."""
    first, second = court.draft(2), court.again()
    court.start(first, reason="Vendor leaked the secret", ticket="SEC-7/a")
    court.start(second, reason="Customer left", ticket="free words: ask Bob")
    return [first, second]


def found(court, name: str, words: str) -> list[int]:
    """Return the runs that somebody finds in the list."""
    page = browser(getattr(court.team, name)).get(LIST, {"q": words})
    return sorted(one.pk for one in page.context["cl"].result_list)


@pytest.mark.parametrize(
    ("words", "numbers"),
    [
        ("vendor leaked", [0]),
        ("SEC-7", [0]),
        ("sec-7/A", [0]),
        ("ask bob", [1]),
        ("customer", [1]),
        ("Rita", [0, 1]),
        ("no such words", []),
    ],
)
def test_runs_are_found_by_reason_and_ticket(court, two, words, numbers):
    assert found(court, "vic", words) == [two[number].pk for number in numbers]
    assert found(court, "eve", words) == []


@pytest.mark.parametrize("words", ["vendor leaked", "SEC-7/a"])
def test_so_are_the_events_of_the_audit(court, two, words):
    Membership.objects.filter(user=court.team.vic).update(is_auditor=True)

    page = browser(court.team.vic).get(AUDIT, {"q": words})

    events = list(page.context["cl"].result_list)
    assert [event.run_uid for event in events] == [str(two[0].uid)]
    event = Event.objects.get(action="run_started", run_uid=two[0].uid)
    assert (event.reason, event.ticket) == ("Vendor leaked the secret", "SEC-7/a")

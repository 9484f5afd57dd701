"""Who may review a start without approval: nobody who had a part in it."""

import pytest
from django.utils import timezone

from instances import runs
from instances.models import BrokenGlass
from tests.instances.approving import court, refused
from tests.people import make_user

__all__ = ["court"]

pytestmark = pytest.mark.django_db


def test_whoever_drafted_does_not_review_that_another_started_it(court):
    team, run = court.team, court.draft()
    owner = make_user("Oda", team.acme, is_owner=True, is_revoker=True)
    rita = team.rita.memberships.get(organization=team.acme)
    rita.is_approver = True
    rita.save()
    runs.break_glass(run, user=owner, now=timezone.now(), why="The vendor was hacked")
    run.refresh_from_db()

    said = refused(runs.review, run, user=team.rita, now=timezone.now(), note="Fine")

    glass = BrokenGlass.objects.get(run=run)
    assert said.code == "own_start"
    assert (run.requested_by, glass.drafted_by) == (owner, team.rita)
    assert glass.reviewed_at is None

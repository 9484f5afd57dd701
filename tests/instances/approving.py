"""What tests of approvals share: an organization with the usual policy, approvers, and crowds."""

from dataclasses import dataclass
from typing import Any

import pytest
from django.utils import timezone

from ceadmin.audit.models import Event
from ceadmin.teams.models import Organization, Policy, User
from instances import runs, selection
from instances.choices import RunKind
from instances.models import Approval, Instance, InstanceTag, Run
from tests.instances.crowds import make_instances
from tests.people import Team, make_user


@dataclass
class Court:
    """Rita asks; Ann and Abe approve; Otto owns; Sue is a superuser."""

    team: Team
    ann: User
    abe: User
    sue: User

    @property
    def acme(self) -> Organization:
        """The organization."""
        return self.team.acme

    def policy(self, **columns: Any) -> None:
        """Set the policy as an installation would have it."""
        Policy.objects.update_or_create(organization=self.acme, defaults=columns)

    def draft(self, count: int = 30, kind: str = RunKind.REVOKE, **wish: Any) -> Run:
        """Return a frozen draft of Rita's over `count` instances."""
        make_instances(self.acme, count)
        return self.again(kind, **wish)

    def again(self, kind: str = RunKind.REVOKE, chosen: Any = None, **wish: Any) -> Run:
        """Return a frozen draft over what is there."""
        wish.setdefault("user", self.team.rita)
        run = runs.create(
            kind, self.acme, chosen or selection.everything(), now=now(), **wish
        )
        runs.plan(run.pk, now=now())
        run.refresh_from_db()
        return run

    def asked(self, count: int = 30, **wish: Any) -> Run:
        """Return a draft whose approval Rita asked for."""
        run = self.draft(count, **wish)
        runs.ask(run, user=self.team.rita, now=now(), reason="Leaked secret")
        return run

    def approved(self, count: int = 30, **wish: Any) -> Run:
        """Return a draft that Ann approved."""
        run = self.asked(count, **wish)
        self.approve(run)
        return run

    def approve(self, run: Run, user: User | None = None, **given: Any) -> None:
        """Approve what is asked."""
        given.setdefault("digest", question(run).digest)
        runs.approve(run, user=user or self.ann, now=now(), **given)

    def start(self, run: Run, user: User | None = None, **wish: Any) -> None:
        """Start it as Rita."""
        runs.start(run, user=user or self.team.rita, now=now(), **wish)


def now():
    """Return the time."""
    return timezone.now()


def question(run: Run) -> Approval:
    """Return the newest question about a run."""
    return Approval.objects.filter(run=run).latest("pk")


def tag(name: str, *numbers: int) -> None:
    """Tag some instances, in their order."""
    pks = list(Instance.objects.order_by("pk").values_list("pk", flat=True))
    InstanceTag.objects.bulk_create(
        InstanceTag(instance_id=pks[number], name=name) for number in numbers
    )


def refused(act, *args, **given) -> runs.RunError:
    """Return the refusal of an act."""
    with pytest.raises(runs.RunError) as no:
        act(*args, **given)
    return no.value


def told(action: str) -> Event:
    """Return the one event of an action."""
    return Event.objects.get(action=action)


@pytest.fixture
def court(team) -> Court:
    """Acme with the policy of a new organization."""
    return Court(
        team,
        ann=make_user("Ann", team.acme, is_approver=True),
        abe=make_user("Abe", team.acme, is_approver=True),
        sue=User.objects.create_superuser("sue@example.com", name="Sue"),
    )

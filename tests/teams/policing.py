"""What tests of policies share: Acme's policy, who asks for another, and what was kept of it."""

import json
from dataclasses import dataclass, replace
from typing import Any

import pytest
from django.utils import timezone

from ceadmin.audit.models import Event
from ceadmin.teams import policies
from ceadmin.teams.models import Organization, Policy, PolicyChange, User
from ceadmin.teams.policies import Asker, PolicyError
from ceadmin.teams.terms import Terms, terms_of
from tests.people import Team, make_user

ADDRESS = "192.0.2.7"
WHY = "We are many now"
STRICT = Terms(10, frozenset({"prod", "eu"}), frozenset({"test"}), 12)

#: Each knob of a policy, turned so that one person may do more alone than under STRICT.
LOOSER = {
    "a higher number": {"most_alone": 11},
    "any number": {"most_alone": None},
    "a production tag less": {"production_tags": frozenset({"prod"})},
    "no production tag": {"production_tags": frozenset()},
    "another production tag instead": {"production_tags": frozenset({"prod", "us"})},
    "a test tag more": {"test_tags": frozenset({"test", "sandbox"})},
    "a longer life": {"approval_hours": 13},
}
#: And the other way.
TIGHTER = {
    "a lower number": {"most_alone": 9},
    "every one": {"most_alone": 0},
    "a production tag more": {"production_tags": frozenset({"prod", "eu", "us"})},
    "no test tag": {"test_tags": frozenset()},
    "a shorter life": {"approval_hours": 11},
}


@dataclass
class Senate:
    """Otto and Orla own; Ann and Abe approve; Sue is a superuser."""

    team: Team
    orla: User
    ann: User
    abe: User
    sue: User

    @property
    def acme(self) -> Organization:
        """The organization."""
        return self.team.acme

    @property
    def otto(self) -> User:
        """Who asks."""
        return self.team.otto

    @property
    def terms(self) -> Terms:
        """What holds now."""
        return terms_of(self.acme)

    def change(
        self, user: User | None = None, why: str = WHY, **knobs: Any
    ) -> PolicyChange | None:
        """Turn some knobs of what holds, as Otto."""
        wanted = replace(self.terms, **knobs)
        return policies.change(self.acme, wanted, why=why, by=by(user or self.otto))

    def asked(self, user: User | None = None, **knobs: Any) -> PolicyChange:
        """Return a looser policy that waits."""
        made = self.change(user, **(knobs or {"most_alone": 400}))
        assert made is not None
        return made

    def approve(
        self, change: PolicyChange, user: User | None = None, digest: str | None = None
    ) -> None:
        """Approve it, as Ann."""
        said = change.digest if digest is None else digest
        policies.approve(change, digest=said, by=by(user or self.ann))


def by(user: User) -> Asker:
    """Return somebody who does something now."""
    return Asker(user, timezone.now(), ADDRESS)


def refused(act, *args: Any, **given: Any) -> PolicyError:
    """Return the refusal of an act."""
    with pytest.raises(PolicyError) as no:
        act(*args, **given)
    return no.value


def told(action: str) -> Event:
    """Return the one event of an action."""
    return Event.objects.get(action=action)


def facts_of(event: Event) -> dict:
    """Return what an event keeps beside its columns."""
    return json.loads(event.text)["facts"]


def status_of(change: PolicyChange) -> str:
    """Return how a question stands, as stored."""
    return PolicyChange.objects.get(pk=change.pk).status


@pytest.fixture
def senate(team: Team) -> Senate:
    """Acme under a strict policy."""
    Policy.objects.create(organization=team.acme, **STRICT.as_json())
    return Senate(
        team,
        orla=make_user("Orla", team.acme, is_owner=True),
        ann=make_user("Ann", team.acme, is_approver=True),
        abe=make_user("Abe", team.acme, is_approver=True),
        sue=User.objects.create_superuser("sue@example.com", name="Sue"),
    )

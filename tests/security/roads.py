"""Every road by which a person does one of the six acts of the table of roles.

A road is a function that tries it as `place.user` and tells whether it was done, by what
the database says afterwards.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from django.test import Client
from django.utils import timezone

from ceadmin.teams.choices import Role
from ceadmin.teams.models import Membership, Policy, User
from ceadmin.teams.models.membership import role_flag
from instances import runs, selection
from instances.choices import RunKind, RunStatus
from instances.models import Instance, InstanceTag, ReconnectLink, Run
from tests.commands.conftest import manage
from tests.instances.fleet import Fleet
from tests.people import Team, allow_alone, make_user

Road = Callable[["Place"], bool]

#: Words that stand at the head of a row of the table → its roads.
ROADS: dict[str, list[Road]] = {}


@dataclass
class Place:
    """Acme with one instance, Rita who may do all that the engine does, and the one who tries."""

    fleet: Fleet
    team: Team
    user: User
    folder: Path
    instance: Instance = field(init=False)

    def __post_init__(self) -> None:
        self.instance = self.fleet.synced("box")[0]

    def hold(self, *roles: Role) -> None:
        """Give the one who tries these roles and no other."""
        names = [role for role in Role if role is not Role.VIEWER]
        flags = {role_flag(role): role in roles for role in names}
        Membership.objects.filter(user=self.user).update(**flags)

    @cached_property
    def client(self) -> Client:
        """Their browser."""
        client = Client()
        client.force_login(self.user)
        return client

    def post(self, path: str, **data: Any) -> Any:
        """Press a button of the admin."""
        return self.client.post(f"/admin/{path}", data)

    def shows(self, path: str, text: str) -> bool:
        """Say whether a page of the admin shows a text."""
        answer = self.client.get(f"/admin/{path}")
        body = answer.getvalue() if answer.streaming else answer.content
        return answer.status_code == 200 and text in body.decode()

    def command(self, *words: str) -> int:
        """Run a command as them, and return its exit code."""
        return manage(*words, "--as", self.user.email).code

    def theirs(self, kind: str) -> bool:
        """Say whether they made a run of a kind."""
        return Run.objects.filter(kind=kind, requested_by=self.user).exists()

    def draft(self) -> Run:
        """Return a draft of Rita's."""
        return self.fleet.draft(RunKind.REVOKE)

    def started(self) -> Run:
        """Return a run that Rita started and nobody worked yet."""
        run = self.draft()
        runs.start(run, user=self.team.rita, now=timezone.now(), reason="a test")
        return run

    def paused(self) -> Run:
        """Return a run that Rita started and paused."""
        run = self.started()
        runs.pause(run, user=self.team.rita, now=timezone.now())
        return run

    def link(self) -> ReconnectLink:
        """Return a link that Rita made."""
        self.fleet.run(RunKind.RECONNECT)
        return ReconnectLink.objects.get()

    def tag(self) -> None:
        """Tag the instance as a test."""
        InstanceTag.objects.create(instance=self.instance, name="test")


def road(act: str) -> Callable[[Road], Road]:
    """Register a road of the row that begins with these words."""

    def register(function: Road) -> Road:
        ROADS.setdefault(act, []).append(function)
        return function

    return register


def status_of(run: Run) -> str:
    """Return a run's status as stored."""
    return Run.objects.get(pk=run.pk).status


def ticked(place: Place, action: str) -> None:
    place.post("instances/instance/", action=action, _selected_action=place.instance.pk)


def worked(place: Place, kind: str, enough: Role) -> bool:
    """Let them begin a run in a role, take it, and see whether the job goes on."""
    now_held = Membership.objects.get(user=place.user).roles
    place.hold(enough)
    run = runs.create(
        kind,
        place.team.acme,
        selection.everything(),
        user=place.user,
        now=timezone.now(),
    )
    runs.plan(run.pk, now=timezone.now())
    run.refresh_from_db()
    if run.status == RunStatus.DRAFT:
        runs.start(run, user=place.user, now=timezone.now(), reason="a test")
    place.hold(*now_held)
    place.fleet.work(run)
    return run.problem != "not_allowed"


def need_approval(place: Place) -> None:
    """Let every revocation need a second person."""
    Policy.objects.update(most_alone=0)


def place_for(emulator: object, team: Team, folder: Path, role: str) -> Place:
    """Return Acme and somebody who holds one role of it."""
    flags = {role_flag(Role(role)): True} if role != "viewer" else {}
    user = make_user("Tess", team.acme, **flags)
    fleet = Fleet(emulator, team.acme, team.rita)
    allow_alone(team.acme)
    return Place(fleet, team, user, folder)

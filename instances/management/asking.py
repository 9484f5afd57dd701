"""From a command line to a run: which instances, what to do with them, begun at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.conf import settings
from django.urls import reverse

from ceadmin.teams.choices import Act
from ceadmin.teams.models import Organization, User
from ceadmin.teams.permissions import organizations, require
from ceadmin.teams.reasons import said
from instances import runs, selection
from instances.choices import DESTRUCTIVE, RunKind
from instances.management.base import misused
from instances.models import Instance, Run


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody asks for."""

    kind: str
    organization: Organization
    selection: Mapping[str, Any]
    reason: str = ""
    ticket: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    connections: int | None = None

    def check(self, user: User) -> None:
        """Raise what stands in the way before there is a run: rights first, then sense."""
        act = runs.act_on_selection(self.kind, self.organization, self.selection)
        require(user, act, self.organization)
        if self.kind == RunKind.SYNC:
            return
        own = Instance.objects.of(self.organization)
        if not selection.narrow(own, self.selection).exists():
            raise misused("No instance matches. Is the organization synced?")


def begin(wish: Wish, *, user: User, now: datetime) -> Run:
    """Return a run that is under way: a reason given here is the confirmation."""
    wish.check(user)
    destructive = wish.kind in DESTRUCTIVE
    if destructive and not said(wish.reason):
        raise misused("Say why with --reason, in words: the audit keeps it.")
    run = _create(wish, dict(wish.options), user, now)
    if destructive:
        runs.wait_for_plan(run.pk, now=now)
        run.refresh_from_db()
        _start(run, user, now)
    return run


def _start(run: Run, user: User, now: datetime) -> None:
    """Start a draft; where that takes a second person, say where the draft waits."""
    try:
        runs.start(run, user=user, now=now)
    except runs.Denied as refusal:
        page = reverse("admin:instances_run_change", args=[run.pk])
        where = f"The draft waits at {settings.PUBLIC_URL}{page}"
        raise runs.RunError(refusal.code, f"{refusal.sentence} {where}") from refusal


def rehearse(wish: Wish, *, user: User, now: datetime) -> runs.Preview:
    """Return what a run would do; its draft is dropped and nothing is sent."""
    wish.check(user)
    run = _create(wish, {**wish.options, "dry_run": True}, user, now)
    runs.wait_for_plan(run.pk, now=now)
    run.refresh_from_db()
    seen = runs.preview(run)
    runs.discard(run, user=user, now=now)
    return seen


def _create(wish: Wish, options: Mapping[str, Any], user: User, now: datetime) -> Run:
    return runs.create(
        wish.kind,
        wish.organization,
        wish.selection,
        user=user,
        now=now,
        reason=wish.reason,
        ticket=wish.ticket,
        options=options,
        connections=wish.connections,
    )


def selection_of(
    organization: Organization, remote_ids: Sequence[str], filters: Sequence[str]
) -> dict[str, Any]:
    """Return the selection that --instance and --filter mean; neither means everything.

    Raises CommandError and BadSelection.
    """
    if remote_ids and filters:
        raise misused("Give either --instance or --filter, not both.")
    if remote_ids:
        return _of_ids(organization, remote_ids)
    return selection.of_filter(_parts(filters))


def _of_ids(organization: Organization, remote_ids: Sequence[str]) -> dict[str, Any]:
    own = Instance.objects.of(organization).filter(remote_id__in=remote_ids)
    unknown = sorted(set(remote_ids) - set(own.values_list("remote_id", flat=True)))
    if unknown:
        raise misused(f"{organization} has no instance {', '.join(unknown)}.")
    return selection.of_remote_ids(remote_ids)


def _parts(filters: Sequence[str]) -> dict[str, list[str] | str]:
    """Return `key=value` words as filter parts; a repeated key means any of its values."""
    values: dict[str, list[str]] = defaultdict(list)
    for word in filters:
        name, equals, value = word.partition("=")
        if not equals or not value:
            raise misused(f"“{word}” is no filter; write one as key=value.")
        values[name].append(value)
    if len(values.get("search", ())) > 1:
        raise misused("Only one search is possible.")
    return {name: got[0] if name == "search" else got for name, got in values.items()}


def organization_of(user: User, remote_id: str) -> Organization:
    """Return the one organization of a person that has this instance; raise CommandError."""
    own = organizations(user, Act.VIEW).filter(instances__remote_id=remote_id)
    found = list(own.distinct().order_by("slug"))
    if not found:
        raise misused(f"No organization of {user.email} has an instance {remote_id}.")
    if len(found) > 1:
        slugs = ", ".join(one.slug for one in found)
        raise misused(f"{slugs} each have an instance {remote_id}: --organization?")
    return found[0]

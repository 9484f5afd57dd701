"""A button that is pressed twice makes one run, with scripts and without."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Unpack

from django.db import transaction

from ceadmin.teams.models import Organization, User
from ceadmin.teams.permissions import NotAllowed
from instances import runs
from instances.choices import RUN_TERMINAL
from instances.models import Run

#: What comes again within this time was not meant twice.
_DOUBLE = timedelta(seconds=5)


def create_once(
    kind: str,
    organization: Organization,
    selection: Mapping[str, Any],
    *,
    user: User,
    now: datetime,
    **wish: Unpack[runs.Wish],
) -> Run:
    """Return a new run, or the one that the same press has just made.

    Raises what `runs.create` raises. The person's own row is held meanwhile: two
    requests of theirs at once take turns.
    """
    with transaction.atomic():
        User.objects.select_for_update(no_key=True).get(pk=user.pk)
        own = Run.objects.filter(
            requested_by=user,
            organization=organization,
            kind=kind,
            created_at__gt=now - _DOUBLE,
        ).exclude(status__in=sorted(RUN_TERMINAL))
        for run in own.order_by("-pk"):
            if run.selection == selection:
                return run
        try:
            return runs.create(
                kind, organization, selection, user=user, now=now, **wish
            )
        except NotAllowed as refusal:
            refused = refusal
    raise refused  # out here, where the record of it stays

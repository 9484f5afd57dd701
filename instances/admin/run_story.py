"""What was done with a run, in order: who drafted, approved, started, paused, stopped it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.http import HttpRequest

from ceadmin.audit.choices import Action
from ceadmin.audit.models import PRESENT, Event
from ceadmin.teams.audit_reads import note_read
from ceadmin.teams.choices import Act
from ceadmin.teams.naming import names_of
from ceadmin.teams.permissions import may
from instances.models import Run

_SHOWN = 30


@dataclass(frozen=True, slots=True)
class Deed:
    """One thing that was done with a run."""

    event: Event
    who: str


def deeds_of(run: Run, request: HttpRequest, now: datetime) -> list[Deed]:
    """Return the newest deeds, the oldest of them first, to those who may read the audit.

    That they were read is recorded as it is on the audit's own pages.
    """
    if not may(request.user, Act.AUDIT, run.organization):
        return []
    chain = run.organization.chain
    told = Event.objects.filter(PRESENT["subject_uid"], subject_uid=str(run.uid))
    told = told.filter(chain=chain).exclude(action=Action.AUDIT_READ)
    events = list(told.order_by("-id")[:_SHOWN])
    events.reverse()
    note_read(request, {event.chain for event in events}, now)
    names = names_of(events)
    return [Deed(event, names[event.pk].actor) for event in events]

"""How a question to the second person ends without being used: closed, expired, or void."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Now

from ceadmin.audit.actors import SCHEDULE
from ceadmin.audit.choices import Action
from ceadmin.teams.choices import ANSWER_OPEN, Act, Answer
from ceadmin.teams.permissions import may
from ceadmin.teams.users import Hand
from instances.models import Approval, Run
from instances.runs.recording import record_act


def open_of(run: Run) -> QuerySet[Approval]:
    """Return the question about a run that is asked, or answered and not used."""
    return Approval.objects.filter(run=run, status__in=sorted(ANSWER_OPEN))


def is_vouched_for(asked: Approval, run: Run) -> bool:
    """Say whether who approved may still approve."""
    approver = asked.decided_by
    return approver is not None and may(approver, Act.APPROVE, run.organization)


_ENDS = {
    Answer.VOID: Action.APPROVAL_VOID,
    Answer.WITHDRAWN: Action.APPROVAL_WITHDRAWN,
    Answer.EXPIRED: Action.APPROVAL_EXPIRED,
}


def close(run: Run, how: Answer, hand: Hand) -> bool:
    """End what is asked about a run, inside the caller's transaction; tell whether anything was."""
    asked = open_of(run).first()
    if asked is None or open_of(run).update(status=how, ended_at=hand.now) != 1:
        return False
    asked.refresh_from_db()
    record_act(run, _ENDS[how], hand, **facts_of(asked))
    return True


def expire_overdue(now: datetime) -> None:
    """End questions and answers whose time is over; safe to repeat."""
    over = Approval.objects.filter(
        status__in=sorted(ANSWER_OPEN), expires_at__lte=Now()
    )
    for one in over.select_related("run__organization"):
        with transaction.atomic():
            own = over.filter(pk=one.pk)
            if own.update(status=Answer.EXPIRED, ended_at=now) == 1:
                one.refresh_from_db()
                hand = Hand(SCHEDULE, now)
                record_act(one.run, Action.APPROVAL_EXPIRED, hand, **facts_of(one))


def void_unvouched(now: datetime) -> None:
    """End the unused answers of people who may no longer approve; safe to repeat."""
    given = Approval.objects.filter(status=Answer.APPROVED)
    for one in given.select_related("run__organization", "decided_by").order_by("pk"):
        if not is_vouched_for(one, one.run):
            with transaction.atomic():
                close(one.run, Answer.VOID, Hand(SCHEDULE, now))


def facts_of(asked: Approval) -> dict[str, Any]:
    """Return what the audit keeps of a question: people by pseudonym."""
    people = {"asked_by": asked.asked_by, "decided_by": asked.decided_by}
    return {
        "approval": str(asked.uid),
        "digest": asked.digest,
        "needed": list(asked.why_needed),
        "expires_at": asked.expires_at.isoformat(),
        **{name: str(who.uid) if who else "" for name, who in people.items()},
    }

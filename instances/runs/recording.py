"""The audit events of what people do with runs: who, in which role, from where, and why."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import wraps
from typing import Any, TypeVar

from django.db import transaction

from ceadmin.audit.choices import Action
from ceadmin.audit.record import Subject, record
from ceadmin.lib.sayings import english
from ceadmin.teams.models import Organization, User
from ceadmin.teams.permissions import NotAllowed, actor_of
from ceadmin.teams.users import Hand
from instances.models import Run
from instances.runs.errors import Denied

Act = TypeVar("Act", bound=Callable[..., Any])


def hand_of(user: User, run: Run, now: datetime, address: str = "") -> Hand:
    """Return who does something with a run, and when."""
    return Hand(actor_of(user, run.organization, address), now)


def record_act(
    run: Run, action: Action, hand: Hand, provider_key: str = "", **facts: Any
) -> None:
    """Write the audit event of what somebody did with a run, or with one provider's part of it."""
    record(
        action,
        chain=str(run.organization.uid),
        actor=hand.actor,
        at=hand.now,
        subject=Subject("run", str(run.uid), english(run)),
        run_uid=str(run.uid),
        reason=run.reason,
        ticket=run.ticket,
        provider_key=provider_key,
        facts={
            "kind": run.kind,
            "total": run.total,
            "selection_hash": run.selection_hash,
            "options": run.options,
            "connections": run.connections,
            **facts,
        },
    )


def denials_recorded(act: Act) -> Act:
    """Let the audit keep that somebody was denied `act(run, …, user=, now=, address=)`."""

    @wraps(act)
    def recorded(run: Run, *rest: Any, **given: Any) -> Any:
        try:
            return act(run, *rest, **given)
        except (Denied, NotAllowed) as refusal:
            # What was begun is taken back; that it was tried stays.
            _record_denial(run, act.__name__, refusal, given)
            if isinstance(refusal, NotAllowed):
                refusal.recorded = True
            raise

    return recorded  # type: ignore[return-value]


def _record_denial(
    run: Run, act: str, refusal: Denied | NotAllowed, given: dict[str, Any]
) -> None:
    code = refusal.code if isinstance(refusal, Denied) else "not_allowed"
    says = str(refusal) if isinstance(refusal, Denied) else refusal.recorded_as
    hand = hand_of(given["user"], run, given["now"], given.get("address", ""))
    with transaction.atomic():
        record(
            Action.RUN_DENIED,
            chain=run.organization.chain,
            actor=hand.actor,
            at=hand.now,
            subject=Subject("run", str(run.uid), english(run)),
            run_uid=str(run.uid),
            outcome=code,
            reason=run.reason,
            ticket=run.ticket,
            facts={"act": act, "kind": run.kind, "says": says},
        )


def record_denied_draft(
    kind: str, organization: Organization, user: User, now: datetime, address: str
) -> None:
    """Write down that somebody was denied a run before there was one."""
    with transaction.atomic():
        record(
            Action.RUN_DENIED,
            chain=organization.chain,
            actor=actor_of(user, organization, address),
            at=now,
            subject=Subject("organization", organization.uid, str(organization)),
            outcome="not_allowed",
            facts={"act": "create", "kind": str(kind)},
        )

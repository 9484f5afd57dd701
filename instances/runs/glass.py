"""Break the glass: an owner starts without the approval that is needed, and answers for it.

It stays marked on the run, and stands among what needs somebody until another person has
looked at it and said so.
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from ceadmin.audit.choices import Action
from ceadmin.teams.choices import Act, Answer
from ceadmin.teams.models import User
from ceadmin.teams.permissions import require
from ceadmin.teams.reasons import said
from ceadmin.teams.users import Hand
from instances.models import BrokenGlass, Run
from instances.runs.closing import close
from instances.runs.digest import digest_of
from instances.runs.errors import Denied, RunError
from instances.runs.freezing import list_hash
from instances.runs.kin import kin_of
from instances.runs.plan import wake
from instances.runs.recording import denials_recorded, hand_of, record_act
from instances.runs.rights import may_do, requester_may
from instances.runs.starting import begin_draft
from instances.runs.threshold import needed


@denials_recorded
def break_glass(
    run: Run, *, user: User, now: datetime, why: str, address: str = ""
) -> None:
    """Start a draft without approval. Raises RunError and NotAllowed.

    An owner who is no revoker starts in the name of whoever drafted it: that person has
    to be one still.
    """
    require(user, Act.OWN, run.organization)
    words = said(why)
    if not words:
        raise RunError(
            "reason_missing", _("Say in words why this cannot wait for an approver.")
        )
    starter = user if may_do(user, run) else run.requested_by
    if starter is None or not may_do(starter, run) or not requester_may(run):
        raise Denied(
            "nobody_may",
            _(
                "Whoever drafted this may no longer run it. Let a revoker draft it again."
            ),
        )
    hand = hand_of(user, run, now, address)
    with transaction.atomic():
        _break(run, starter, words, hand, user)
        wake(run)


def _break(run: Run, starter: User, why: str, hand: Hand, user: User) -> None:
    kin = kin_of(run)
    reasons = needed(run, kin)
    if not reasons:
        raise RunError("no_approval_needed", _("This run needs no approval: start it."))
    if list_hash(run) != run.selection_hash:
        raise Denied(
            "list_changed",
            _(
                "The rows of the list are not the ones that were frozen. Discard this "
                "draft."
            ),
        )
    close(run, Answer.VOID, hand)
    drafted_by = run.requested_by
    begin_draft(run, starter, hand.now, {"reason": run.reason or why})
    BrokenGlass.objects.create(
        run=run,
        digest=digest_of(run, siblings=kin.hash),
        why_needed=reasons,
        drafted_by=drafted_by,
        broken_by=user,
        broken_by_name=str(user)[:255],
        broken_at=hand.now,
        why=why,
    )
    record_act(run, Action.GLASS_BROKEN, hand, why=why, needed=reasons)
    record_act(run, Action.RUN_STARTED, hand, without_approval=True)


@denials_recorded
def review(
    run: Run, *, user: User, now: datetime, note: str, address: str = ""
) -> None:
    """Say that somebody else looked at a start without approval. Raises RunError and NotAllowed."""
    require(user, Act.APPROVE, run.organization)
    glass = BrokenGlass.objects.filter(run=run).first()
    if glass is None:
        raise RunError("not_broken", _("This run was not started without approval."))
    parts = (glass.broken_by_id, glass.drafted_by_id, run.requested_by_id)
    if user.pk in parts:
        raise Denied(
            "own_start", _("You had a part in it, so somebody else reviews it.")
        )
    words = said(note)
    if not words:
        raise RunError("reason_missing", _("Say in words what you found."))
    with transaction.atomic():
        left = BrokenGlass.objects.filter(pk=glass.pk, reviewed_at=None)
        reviewed = {"reviewed_by": user, "reviewed_by_name": str(user)[:255]}
        if left.update(reviewed_at=now, note=words, **reviewed) != 1:
            glass.refresh_from_db()
            raise Denied(
                "reviewed",
                _("%(name)s reviewed it meanwhile."),
                name=glass.reviewed_by_name,
            )
        hand = hand_of(user, run, now, address)
        record_act(run, Action.GLASS_REVIEWED, hand, note=words)

"""The second person: what they are asked about a draft, and what their answer is good for.

A question is bound to the frozen list, the options, the reason and the ticket of its
draft, to the provider apps of its instances, to the versions of own records, and to
whoever dies with them: whatever changes makes another hash, and the answer is not for
that. Neither who drafted nor who asked can approve, not even as a superuser; nor can the
approver start.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Now
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from ceadmin.audit.choices import Action
from ceadmin.lib.moments import from_now
from ceadmin.lib.sayings import inside, later, spoken
from ceadmin.teams.choices import Act, Answer
from ceadmin.teams.models import User
from ceadmin.teams.permissions import require
from ceadmin.teams.reasons import said
from ceadmin.teams.terms import terms_of
from ceadmin.teams.users import Hand
from instances.choices import RunStatus
from instances.models import Approval, Run
from instances.runs.closing import close, facts_of, is_vouched_for, open_of
from instances.runs.digest import digest_of, refuse_other_record
from instances.runs.errors import Denied, RunError
from instances.runs.freezing import list_hash
from instances.runs.kin import Kin, kin_of
from instances.runs.recording import denials_recorded, hand_of, record_act
from instances.runs.rights import act_of, may_do
from instances.runs.threshold import REASONS, needed

#: So much of a hash has to be said by whoever approves on a command line.
SHORTEST_DIGEST = 8
#: Clocks of two machines differ; an answer from further ahead is from a clock set back.
_SKEW = timedelta(minutes=1)


def latest(run: Run) -> Approval | None:
    """Return the newest question about a run."""
    asked = Approval.objects.filter(run=run).select_related("asked_by", "decided_by")
    return asked.order_by("-pk").first()


# Asking


def open_question(run: Run, *, user: User, hand: Hand) -> Approval:
    """Ask about a draft as it stands, inside the transaction that changed it; raise RunError."""
    kin = kin_of(run)
    reasons = needed(run, kin)
    if not reasons:
        raise RunError("no_approval_needed", _("This run needs no approval: start it."))
    digest = digest_of(run, siblings=kin.hash)
    asked = open_of(run).first()
    if asked and asked.digest == digest and not _is_over(asked):
        raise RunError(
            "asked_already",
            _("Approval was asked for by %(name)s already."),
            name=asked.asked_by_name,
        )
    close(run, Answer.VOID, hand)
    hours = timedelta(hours=terms_of(run.organization).approval_hours)
    made = Approval.objects.create(
        run=run,
        digest=digest,
        siblings_hash=kin.hash,
        why_needed=reasons,
        total=run.total,
        drafted_by=run.requested_by,
        asked_by=user,
        asked_by_name=str(user)[:255],
        asked_at=hand.now,
        counted_from=Now(),
        expires_at=from_now(hours),
    )
    made.refresh_from_db()  # its times were expressions
    record_act(run, Action.APPROVAL_ASKED, hand, **facts_of(made))
    return made


def _is_over(asked: Approval) -> bool:
    return not _good(Approval.objects.filter(pk=asked.pk)).exists()


def _good(asked: QuerySet[Approval]) -> QuerySet[Approval]:
    """Narrow to what has not expired, nor comes from a clock that was set back since."""
    return asked.filter(expires_at__gt=Now(), counted_from__lte=from_now(_SKEW))


# Answering


@denials_recorded
def approve(
    run: Run,
    *,
    user: User,
    now: datetime,
    digest: str,
    note: str = "",
    address: str = "",
) -> None:
    """Approve what `digest` names. Raises RunError and NotAllowed.

    Of two approvers at once one wins; the other is told who.
    """
    require(user, Act.APPROVE, run.organization)
    asked = _waiting(run)
    _check_person(run, asked, user)
    _check_subject(run, asked, digest)
    hours = timedelta(hours=terms_of(run.organization).approval_hours)
    with transaction.atomic():
        own = ~Q(asked_by=user) & ~Q(drafted_by=user)
        _answer(
            asked,
            Answer.APPROVED,
            hand_of(user, run, now, address),
            user,
            own & Q(digest=_digest_of(asked, run)),
            words=said(note),
            counted_from=Now(),
            expires_at=from_now(hours),
        )
        hand = hand_of(user, run, now, address)
        record_act(run, Action.RUN_APPROVED, hand, **facts_of(asked))


@denials_recorded
def refuse(run: Run, *, user: User, now: datetime, why: str, address: str = "") -> None:
    """Say no, with a reason. Raises RunError and NotAllowed."""
    require(user, Act.APPROVE, run.organization)
    asked = _waiting(run)
    words = said(why)
    if not words:
        raise RunError("reason_missing", _("Say in words why you refuse it."))
    if user.pk in (asked.asked_by_id, asked.drafted_by_id):
        raise Denied(
            "own_request",
            _("This is your own request: withdraw it instead of refusing it."),
        )
    hand = hand_of(user, run, now, address)
    with transaction.atomic():
        _answer(asked, Answer.REFUSED, hand, user, Q(), words=words)
        record_act(run, Action.RUN_REFUSED, hand, words=words, **facts_of(asked))


@denials_recorded
def withdraw(run: Run, *, user: User, now: datetime, address: str = "") -> None:
    """Take a question, or an answer that was not used, back. Raises RunError and NotAllowed."""
    require(user, act_of(run), run.organization)
    hand = hand_of(user, run, now, address)
    with transaction.atomic():
        if not close(run, Answer.WITHDRAWN, hand):
            raise RunError("not_asked", _("Nobody waits for an approval of this run."))


def _waiting(run: Run) -> Approval:
    asked = latest(run)
    if asked is None:
        raise RunError("not_asked", _("Nobody asked for an approval of this run."))
    if asked.status != Answer.WAITING:
        raise _answered(asked)
    return asked


def _answered(asked: Approval) -> Denied:
    done = later(lambda: inside(Answer(asked.status).label))
    if asked.decided_by_name:
        return Denied(
            "answered",
            _("The request was %(done)s by %(name)s meanwhile. Reload the page."),
            done=done,
            name=asked.decided_by_name,
        )
    return Denied(
        "answered",
        _("The request was %(done)s meanwhile. Reload the page."),
        done=done,
    )


def _check_person(run: Run, asked: Approval, user: User) -> None:
    if user.pk in (asked.asked_by_id, asked.drafted_by_id, run.requested_by_id):
        raise Denied(
            "own_request",
            _("You asked for this run yourself, so somebody else has to approve it."),
        )
    if not may_do(asked.asked_by, run):
        raise Denied(
            "asker_lost_role",
            _(
                "%(name)s asked for this and may no longer run it. Refuse it; whoever "
                "may can ask again."
            ),
            name=asked.asked_by_name,
        )


def _check_subject(run: Run, asked: Approval, digest: str) -> None:
    """Refuse what names another list or other options than those that are asked about."""
    if len(digest) < SHORTEST_DIGEST or not asked.digest.startswith(digest):
        raise Denied(
            "another_list",
            _(
                "What you approve is not what is asked for now. Reload the page and "
                "read it again."
            ),
        )
    _check_siblings(asked, kin_of(run))
    if asked.digest != _digest_of(asked, run) or list_hash(run) != run.selection_hash:
        raise Denied(
            "changed",
            _(
                "The list, the options, a provider app or an own provider changed after "
                "this was asked. Refuse it, and let it be asked again."
            ),
        )


def _check_siblings(asked: Approval, kin: Kin) -> None:
    """Refuse where others would die now than when it was asked."""
    if asked.siblings_hash != kin.hash:
        raise Denied(
            "siblings_changed",
            _(
                "Other instances share a grant with this list than when approval was "
                "asked for. Look at who dies too, and ask again."
            ),
        )


def _digest_of(asked: Approval, run: Run, changed: dict[str, Any] | None = None) -> str:
    """Return the hash of a run as it is, with those who die too as they were."""
    return digest_of(run, changed, siblings=asked.siblings_hash)


def _answer(
    asked: Approval, answer: Answer, hand: Hand, user: User, only: Q, **more: Any
) -> None:
    """Answer a waiting question of a draft; of two answers at once the first counts."""
    # No join: after waiting for the row, PostgreSQL looks again at its own columns only.
    draft = Run.objects.filter(pk=asked.run_id, status=RunStatus.DRAFT)
    waiting = Approval.objects.filter(
        only, pk=asked.pk, status=Answer.WAITING, run__in=draft
    )
    won = _good(waiting).update(
        status=answer,
        decided_by=user,
        decided_by_name=str(user)[:255],
        decided_at=hand.now,
        **more,
    )
    asked.refresh_from_db()
    if won == 1:
        return
    if asked.status == Answer.WAITING:
        raise RunError(
            "over",
            _("Nobody answered in time, or the run is no draft any more. Ask again."),
        )
    raise _answered(asked)


# Using an answer


def use(run: Run, wanted: dict[str, Any], user: User, hand: Hand) -> dict[str, Any]:
    """Use up the approval that a start needs; return what the audit keeps of it.

    Called inside the start's transaction with the fields the run is about to get.
    Raises Denied where nobody approved exactly this.
    """
    kin = kin_of(run)
    reasons = needed(run, kin)
    if not reasons:
        close(run, Answer.VOID, hand)
        return {}
    asked = open_of(run).select_related("asked_by", "decided_by").first()
    if asked is None or asked.status != Answer.APPROVED:
        raise Denied("needs_approval", _why_not_yet(run, asked, reasons))
    _check_use(run, asked, wanted, user)
    _check_siblings(asked, kin)
    good = _good(Approval.objects.filter(pk=asked.pk, status=Answer.APPROVED))
    if good.update(status=Answer.USED, ended_at=hand.now) != 1:
        raise Denied(
            "approval_over",
            _("The approval has expired, so it is good for nothing. Ask for it again."),
        )
    asked.refresh_from_db()
    return facts_of(asked)


def _why_not_yet(run: Run, asked: Approval | None, reasons: list[str]) -> Promise:
    """Return why a run needs an approver, and what to do about it."""
    past = latest(run) if asked is None else None

    def told() -> str:
        return " ".join([*(spoken(one, REASONS) for one in reasons), step()])

    def step() -> str:
        if asked is not None:
            return gettext("It waits for an approver.")
        if past is not None and past.status == Answer.REFUSED:
            refused = gettext("%(name)s refused it: “%(words)s” Ask again.")
            return refused % {"name": past.decided_by_name, "words": past.words}
        return gettext("Ask for it first.")

    return later(told)


def _check_use(run: Run, asked: Approval, wanted: dict[str, Any], user: User) -> None:
    if asked.decided_by_id == user.pk:
        raise Denied(
            "approver_starts",
            _("You approved this run, so somebody else has to start it."),
        )
    if not may_do(asked.asked_by, run):
        raise Denied(
            "asker_lost_role",
            _("%(name)s asked for this and may no longer run it. Ask again."),
            name=asked.asked_by_name,
        )
    if not is_vouched_for(asked, run):
        raise Denied(
            "approver_lost_role",
            _(
                "%(name)s approved this and may no longer do so, so the approval is "
                "void. Ask again."
            ),
            name=asked.decided_by_name,
        )
    if asked.digest != _digest_of(asked, run, wanted):
        refuse_other_record(run, asked.asked_at)
        raise Denied(
            "not_as_approved",
            _(
                "This is not what was approved: the options, the reason or the ticket "
                "differ. Start it as it was approved, or ask again."
            ),
        )
    if list_hash(run) != run.selection_hash:
        raise Denied(
            "list_changed",
            _(
                "The rows of the list are not the ones that were approved. Discard this "
                "draft and select them again."
            ),
        )


def still_as_approved(run: Run) -> bool:
    """Say whether a run at work is what was approved, where it was approved at all."""
    used = Approval.objects.filter(run=run, status=Answer.USED).first()
    return used is None or used.digest == _digest_of(used, run)


def approver_of(run: Run) -> int | None:
    """Return who approved the start of a run: they take no part in it afterwards."""
    used = Approval.objects.filter(run=run, status=Answer.USED)
    return used.values_list("decided_by", flat=True).first()

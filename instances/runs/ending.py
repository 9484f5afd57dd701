"""How a run ends: all items have an outcome, somebody stopped it, or it could not go on.

A run that is stopped, or that failed, ends once no worker holds a part of it: calls in
flight end first, and what they came to is kept. What was begun is never called cancelled.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import Exists, OuterRef

from ceadmin.audit.choices import Action
from ceadmin.audit.record import Entry, record_many
from ceadmin.lib.sealed import SealError
from ceadmin.teams.models import Organization
from instances.actions import connection
from instances.actions.calls import Result, drive
from instances.actions.causes import Cause, sentence
from instances.actions.findings import Finding
from instances.actions.load import actor_of_run, credentials_of
from instances.actions.settle import Settlement, settle_many
from instances.choices import (
    LINK_OPEN,
    AttemptState,
    ChunkStatus,
    ItemStatus,
    LinkStatus,
    Outcome,
    RunKind,
    RunStatus,
)
from instances.models import Attempt, Chunk, Hold, Item, ReconnectLink, Run
from instances.reconnect.links import close_unused
from instances.runs.plan import record_run

_STOPPED = "The run was stopped before this item's turn."
_INTERRUPTED = (
    "A revocation was sent and its answer lost; then the run ended. Probe the instance "
    "to find out."
)
_REVOKED_ONLY = "The grant was revoked and seen dead; then the run ended."

#: What a test of the connection finds when the secrets are to blame.
_SECRETS_WRONG = frozenset(
    {
        Finding.SECRETS_SWAPPED.value,
        Finding.ORGANIZATION_SECRET_WRONG.value,
        Finding.USER_SECRET_SUSPECTED.value,
        Finding.ONE_SECRET_WRONG.value,
    }
)


def finish_if_done(run: Run, now: datetime) -> bool:
    """Finish a running run when every item has an outcome; return whether this call did it."""
    with transaction.atomic():
        if Item.objects.open().filter(run=run).exists():
            return False
        chunks = Chunk.objects.filter(run=run).exclude(status=ChunkStatus.DONE)
        if run.kind == RunKind.SYNC and chunks.exists():
            return False
        running = Run.objects.filter(pk=run.pk, status=RunStatus.RUNNING)
        if running.update(status=RunStatus.FINISHED, finished_at=now) != 1:
            return False
        run.refresh_from_db()
        record_run(run, Action.RUN_FINISHED, now)
        return True


def fail(run: Run, code: str, words: str, now: datetime) -> None:
    """End a run that can't go on: nothing more is begun, what is in the air ends first."""
    told = {"problem": code[:64], "problem_text": words[:500]}
    own = Run.objects.filter(pk=run.pk)
    with transaction.atomic():
        if own.filter(status=RunStatus.DRAFT).update(
            status=RunStatus.FAILED, finished_at=now, **told
        ):
            _cancel_open(run, code, words, now)
            run.refresh_from_db()
            record_run(run, Action.RUN_FINISHED, now)
            return
    going = (RunStatus.PLANNING, RunStatus.RUNNING, RunStatus.PAUSED)
    own.filter(status__in=going).update(status=RunStatus.STOPPING, **told)
    finish_stop(run, now)


def finish_stop(run: Run, now: datetime) -> bool:
    """End a stopping run once nobody holds a part of it; return whether it ended."""
    stopping = Run.objects.filter(pk=run.pk, status=RunStatus.STOPPING)
    if not stopping.exists():
        return False
    with transaction.atomic():
        chunks = Chunk.objects.filter(run=run)
        chunks.filter(status=ChunkStatus.QUEUED).update(status=ChunkStatus.DONE)
        in_hand = ReconnectLink.objects.filter(
            item__run=run, status=LinkStatus.CONSENTED
        )
        if chunks.filter(status=ChunkStatus.CLAIMED).exists() or in_hand.exists():
            return False
        problem, words = stopping.values_list("problem", "problem_text").get()
        ended = RunStatus.FAILED if problem else RunStatus.STOPPED
        if stopping.update(status=ended, finished_at=now) != 1:
            return False
        _cancel_open(run, problem or "stopped", words or _STOPPED, now)
        run.refresh_from_db()
        record_run(run, Action.RUN_FINISHED, now)
        return True


def _cancel_open(run: Run, cause: str, words: str, now: datetime) -> None:
    """End every open item: those that were begun by what is known, the others cancelled."""
    cancelled = Result(Outcome.CANCELLED.value, cause=cause, explanation=words)
    entries = _close_links(run, cause, now)
    entries += _settle_begun(run, now)
    items = Item.objects.open().filter(run=run)
    pks = list(items.values_list("pk", flat=True))
    items.update(
        status=ItemStatus.DONE,
        outcome=cancelled.outcome,
        cause=cancelled.cause[:64],
        explanation=cancelled.explanation[:500],
        finished_at=now,
    )
    Hold.objects.filter(item_id__in=pks).delete()
    if entries:
        record_many(run.organization.chain, entries, at=now)


def _close_links(run: Run, cause: str, now: datetime) -> list[Entry]:
    """Cancel the links that nobody used; a drill that waited has revoked its grant."""
    drill = run.kind == RunKind.DRILL
    result = Result(
        Outcome.VERIFIED_DEAD.value if drill else Outcome.CANCELLED.value,
        cause=cause,
        explanation=_REVOKED_ONLY if drill else _STOPPED,
    )
    actor, entries = actor_of_run(run), list[Entry]()
    links = ReconnectLink.objects.detailed().filter(
        item__run=run, status__in=sorted(LINK_OPEN)
    )
    for link in links.order_by("pk"):
        entries += close_unused(link, LinkStatus.CANCELLED, result, actor, now)
    waiting = Item.objects.filter(run=run, status=ItemStatus.WAITING)
    left = [Settlement(item, result) for item in waiting] if drill else []
    return entries + _settled(run, left, now)


def _settle_begun(run: Run, now: datetime) -> list[Entry]:
    """End the items whose revocation was sent, and whose fate nobody wrote down."""
    sent = Attempt.objects.filter(item=OuterRef("pk"), purpose__startswith="revoke")
    sent = sent.exclude(state=AttemptState.NOT_SENT)
    begun = Item.objects.open().filter(Exists(sent), run=run)
    result = Result(
        Outcome.UNCLEAR.value, cause="interrupted", explanation=_INTERRUPTED
    )
    return _settled(run, [Settlement(item, result) for item in begun], now)


def _settled(run: Run, ended: Sequence[Settlement], now: datetime) -> list[Entry]:
    if not ended:
        return []
    return settle_many(run, ended, actor=actor_of_run(run), now=now)


# The organization's own secrets


def end_on_wrong_secrets(run: Run, now: datetime) -> None:
    """Fail a run whose organization's secrets are wrong: one problem, not one of each instance.

    One refused read may be a whim, so the organization itself is asked first.
    """
    try:
        report = drive(connection.organization(credentials_of(run.organization)))
    except SealError:
        return
    if report.code in _SECRETS_WRONG:
        note_wrong_secrets(run.organization, report.code, now)
        cause = Cause.ORGANIZATION_SECRETS
        fail(run, cause.value, sentence(cause), now)


def note_wrong_secrets(organization: Organization, code: str, now: datetime) -> None:
    """Write down that the platform refuses an organization's secrets."""
    Organization.objects.filter(pk=organization.pk).update(
        secrets_problem=code[:64], secrets_problem_at=now
    )


def forget_wrong_secrets(organization: Organization) -> None:
    """Take the problem back: the platform has accepted both secrets."""
    Organization.objects.filter(pk=organization.pk).exclude(secrets_problem="").update(
        secrets_problem="", secrets_problem_at=None
    )

"""How a run ends: all items have an outcome, somebody stopped it, or it could not go on.

A run that is stopped, or that failed, ends once no worker holds a part of it: calls in
flight end first, and what they came to is kept. What was begun is never called cancelled.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils.translation import gettext_noop

from ceadmin.audit.choices import Action
from ceadmin.audit.record import Entry, record_many
from ceadmin.lib.sayings import Saying
from ceadmin.lib.sealed import SealError
from ceadmin.teams.models import Organization
from instances.actions import connection
from instances.actions.calls import Result, drive
from instances.actions.causes import Cause, sentence
from instances.actions.credentials import known_token
from instances.actions.findings import Finding
from instances.actions.load import actor_of_run, credentials_of
from instances.actions.settle import Settlement, settle_many
from instances.choices import (
    ITEM_OPEN,
    LINK_OPEN,
    AttemptState,
    ChunkStatus,
    ItemStatus,
    LinkStatus,
    Outcome,
    PartStatus,
    RunKind,
    RunStatus,
)
from instances.models import Attempt, Chunk, Hold, Item, Part, ReconnectLink, Run
from instances.reconnect.links import close_unused
from instances.runs.aftermath import look_at_siblings, tell_siblings
from instances.runs.plan import record_run
from providers.book import book_of

_STOPPED = gettext_noop("The run was stopped before this item's turn.")
_LINK_CANCELLED = gettext_noop(
    "This item waited for a person; its link was cancelled before anybody reconnected."
)
_INTERRUPTED = gettext_noop(
    "A revocation was sent and its answer lost; then the run ended. Probe the instance "
    "to find out."
)
_REVOKED_ONLY = gettext_noop("The grant was revoked and seen dead; then the run ended.")
LEFT_OUT = Saying(gettext_noop("A person left %(name)s out of the run."))

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
    running = Run.objects.filter(pk=run.pk, status=RunStatus.RUNNING)
    if Item.objects.open().filter(run=run).exists() or not running.exists():
        return False
    siblings = tell_siblings(run, now)
    with transaction.atomic():
        if Item.objects.open().filter(run=run).exists():
            return False
        chunks = Chunk.objects.filter(run=run).exclude(status=ChunkStatus.DONE)
        if run.kind == RunKind.SYNC and chunks.exists():
            return False
        if running.update(status=RunStatus.FINISHED, finished_at=now) != 1:
            return False
        run.refresh_from_db()
        look_at_siblings(run, siblings, now)
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
            _cancel_open(run, _all(run), code, words, now)
            run.refresh_from_db()
            record_run(run, Action.RUN_FINISHED, now)
            return
    going = (RunStatus.PLANNING, RunStatus.RUNNING, RunStatus.PAUSED)
    own.filter(status__in=going).update(status=RunStatus.STOPPING, **told)
    finish_stop(run, now)


def wait_for_somebody(run: Run, code: str, words: str, now: datetime) -> None:
    """Pause a run at work until a person who may has looked at it; nothing of it is lost."""
    going = Run.objects.filter(pk=run.pk, status=RunStatus.RUNNING)
    told = {"problem": code, "problem_text": words[:500]}
    with transaction.atomic():
        if going.update(status=RunStatus.PAUSED, **told) == 1:
            run.refresh_from_db()
            record_run(run, Action.RUN_PAUSED, now)


def finish_stop(run: Run, now: datetime) -> bool:
    """End a stopping run once nobody holds a part of it; return whether it ended."""
    stopping = Run.objects.filter(pk=run.pk, status=RunStatus.STOPPING)
    if not stopping.exists():
        return False
    siblings = tell_siblings(run, now)
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
        _cancel_open(run, _all(run), problem or "stopped", words or _STOPPED, now)
        run.refresh_from_db()
        look_at_siblings(run, siblings, now)
        record_run(run, Action.RUN_FINISHED, now)
        return True


def _all(run: Run) -> QuerySet[Item]:
    return Item.objects.filter(run=run)


def finish_left_out(run: Run, now: datetime) -> None:
    """End the open items of providers that were left out, once no worker has them in hand."""
    parts = Part.objects.filter(run=run, status=PartStatus.LEFT_OUT)
    for key in parts.order_by("provider_key").values_list("provider_key", flat=True):
        own = Item.objects.filter(run=run, outcome="", provider_key=key)
        if own.open().exists():
            with transaction.atomic():
                _leave_out(run, key, now)


def _leave_out(run: Run, key: str, now: datetime) -> None:
    # Who has locked a chunk decides over its items: a worker that claims, or this.
    chunks = Chunk.objects.filter(run=run, provider_key__in=[key, _MIXED])
    free = chunks.filter(status=ChunkStatus.QUEUED).select_for_update()
    list(free.order_by("pk").values_list("pk", flat=True))
    claimed = Chunk.objects.filter(run=run, status=ChunkStatus.CLAIMED)
    in_hand = ReconnectLink.objects.filter(
        item=OuterRef("pk"), status=LinkStatus.CONSENTED
    )
    own = Item.objects.filter(~Exists(in_hand), run=run, provider_key=key)
    left = own.exclude(chunk_number__in=list(claimed.values_list("number", flat=True)))
    name = book_of(run.organization).name_of(key)
    _cancel_open(run, left, "left_out", LEFT_OUT.english(name=name), now)
    chunks.filter(status=ChunkStatus.QUEUED, provider_key=key).update(
        status=ChunkStatus.DONE
    )


#: A run that an older version planned may have chunks of several providers.
_MIXED = ""


def _cancel_open(
    run: Run, items: QuerySet[Item], cause: str, words: str, now: datetime
) -> None:
    """End those of `items` that are open: what was begun by what is known, the others cancelled."""
    entries = _close_links(run, items, cause, now)
    entries += _settle_begun(run, items, now)
    left = items.filter(status__in=sorted(ITEM_OPEN))
    Hold.objects.filter(item_id__in=left.values("pk")).delete()
    left.update(
        status=ItemStatus.DONE,
        outcome=Outcome.CANCELLED,
        cause=cause[:64],
        explanation=words[:500],
        finished_at=now,
    )
    if entries:
        record_many(run.organization.chain, entries, at=now)


def _close_links(
    run: Run, items: QuerySet[Item], cause: str, now: datetime
) -> list[Entry]:
    """Cancel the links that nobody used; a drill that waited has revoked its grant."""
    drill = run.kind == RunKind.DRILL
    result = Result(
        Outcome.VERIFIED_DEAD.value if drill else Outcome.CANCELLED.value,
        cause=cause,
        explanation=_REVOKED_ONLY if drill else _LINK_CANCELLED,
    )
    actor, entries = actor_of_run(run), list[Entry]()
    links = ReconnectLink.objects.detailed().filter(
        item__in=items, status__in=sorted(LINK_OPEN)
    )
    for link in links.order_by("pk"):
        entries += close_unused(link, LinkStatus.CANCELLED, result, actor, now)
    waiting = items.filter(status=ItemStatus.WAITING)
    left = [Settlement(item, result) for item in waiting] if drill else []
    return entries + _settled(run, left, now)


def _settle_begun(run: Run, items: QuerySet[Item], now: datetime) -> list[Entry]:
    """End the items whose revocation was sent, and whose fate nobody wrote down."""
    sent = Attempt.objects.filter(item=OuterRef("pk"), purpose__startswith="revoke")
    sent = sent.exclude(state=AttemptState.NOT_SENT)
    begun = items.filter(Exists(sent), status__in=sorted(ITEM_OPEN))
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
    problem = wrong_secret(run.organization)
    if problem:
        note_wrong_secrets(run.organization, problem, now)
        cause = Cause.ORGANIZATION_SECRETS
        fail(run, cause.value, sentence(cause), now)


def wrong_secret(organization: Organization) -> str:
    """Return which of an organization's secrets the platform refuses, "" when it takes both.

    An instance that worked tells a user secret that was reset from a wrong organization secret.
    """
    try:
        token = known_token(organization)
        test = connection.organization(
            credentials_of(organization), element_token=token
        )
        report = drive(test)
    except SealError:
        return ""
    return report.code if report.code in _SECRETS_WRONG else ""


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

"""What a worker does with a run: its share of the items, and the end when all have an outcome."""

from __future__ import annotations

import logging
import time
from datetime import datetime

from django.utils import timezone
from django.utils.translation import gettext_noop

from ceadmin.lib import trace
from ceadmin.lib.nudge import nudge
from ceadmin.lib.sayings import Saying
from ceadmin.lib.sealed import SealError
from instances import reconnect
from instances.actions.calls import Flow, Result
from instances.actions.case import Case
from instances.actions.causes import sentence
from instances.actions.drill import drill
from instances.actions.load import GONE, actor_of_run, credentials_of
from instances.actions.probe import probe
from instances.actions.revoke import revoke
from instances.actions.settle import settle
from instances.actions.uses import note_organization
from instances.choices import ItemStatus, Outcome, RunKind, RunStatus
from instances.engine import Shard
from instances.engine.parts import judge_left
from instances.engine.shard import Starter
from instances.models import Chunk, Item, ReconnectLink, Run
from instances.runs.acts import NOT_ALLOWED
from instances.runs.approval import still_as_approved
from instances.runs.ending import (
    end_on_wrong_secrets,
    fail,
    finish_if_done,
    finish_left_out,
    finish_stop,
    wait_for_somebody,
)
from instances.runs.known import knows
from instances.runs.rights import requester_may
from instances.runs.sync import work_sync

logger = logging.getLogger(__name__)

#: A shard gives its place back after so many seconds, far below the broker's patience.
TIME_BOX = 30.0


_NO_APP = gettext_noop(
    "No provider app is assigned to this instance. Assign one on the instance's page."
)


def _ask_person(case: Case) -> Flow[Result]:
    """Return the flow of a reconnect item: nothing is sent before a person opens the link."""
    if case.app is None:
        return Result(
            Outcome.MISCONFIGURED,
            cause="no_app",
            explanation=_NO_APP,
        )
    return Result(Outcome.WAITING)
    yield  # a flow is a generator, also one without a call


FLOWS: dict[str, Starter] = {
    RunKind.PROBE: probe,
    RunKind.REVOKE: revoke,
    RunKind.DRILL: drill,
    RunKind.RECONNECT: _ask_person,
}


def work(run_id: int, *, worker: str, seconds: float = TIME_BOX) -> None:
    """Work a share of a running run, then see whether it is finished; returns early when there is nothing to do."""
    runs = Run.objects.select_related("organization", "requested_by")
    run = runs.filter(pk=run_id).first()
    if run is None or run.status != RunStatus.RUNNING:
        return
    with trace.about_run(run.uid):
        _work(run, worker, seconds)


def _work(run: Run, worker: str, seconds: float) -> None:
    if not knows(run):
        return
    if obstacle := _in_the_way(run):
        wait_for_somebody(run, *obstacle, timezone.now())
        return
    if problem := _closed_secrets(run):
        fail(run, problem, sentence(problem), timezone.now())
        return
    note_organization(run, timezone.now())
    began = time.monotonic()
    rested = False
    if run.kind == RunKind.SYNC:
        work_sync(run, worker=worker)
    else:
        rested = _work_share(run, worker, seconds)
    logger.info("%s worked a share in %.1f s", worker, time.monotonic() - began)
    bring_on(run, timezone.now())
    claimable = Chunk.objects.claimable().filter(run=run, run__status=RunStatus.RUNNING)
    # While a server wants to be left alone the sweep looks, every few seconds.
    if not rested and claimable.exists():
        nudge("instances.work_run", run_id=run.pk)


def _work_share(run: Run, worker: str, seconds: float) -> bool:
    """Work on items; tell whether those that are left have to wait for a server."""
    flow = FLOWS[run.kind]
    shard = Shard(run, flow, worker=worker, clock=timezone.now, seconds=seconds)
    shard.work()
    if shard.secrets_refused:
        end_on_wrong_secrets(run, timezone.now())
    return shard.rested


def _in_the_way(run: Run) -> tuple[str, str] | None:
    """Return why nothing of a run may be begun now, as a word and a sentence.

    Asked each time a worker takes a share: when it starts, when it resumes, and every
    half minute between.
    """
    if not requester_may(run):
        return NOT_ALLOWED, MAY_NO_LONGER.english(name=run.requested_by_name)
    if not still_as_approved(run):
        return "not_as_approved", _NOT_AS_APPROVED
    return None


MAY_NO_LONGER = Saying(
    gettext_noop(
        "%(name)s asked for this run and may no longer do it, so nothing more is begun. "
        "Whoever may can resume it, which takes it over, or stop it."
    )
)
_NOT_AS_APPROVED = gettext_noop(
    "The options, the reason, the provider apps or an own provider's record are not the ones "
    "that were approved, so nothing more is begun. Stop this run and draft it again."
)


def _closed_secrets(run: Run) -> str:
    """Return why the organization's secrets cannot be used, "" when they can: one problem, not one of each instance."""
    try:
        own = credentials_of(run.organization)
    except SealError:
        return "key_missing"
    return "" if own.user_secret and own.organization_secret else "no_secrets"


def bring_on(run: Run, now: datetime) -> None:
    """Do what follows from the items as they are: links, the end of the run or of its stop."""
    judge_left(run, now)
    finish_left_out(run, now)
    make_links(run, now)
    if not finish_if_done(run, now):
        finish_stop(run, now)


def make_links(run: Run, now: datetime) -> None:
    """Make the links of items that wait for a person and have none yet; safe to repeat."""
    waiting = Item.objects.filter(
        run=run, status=ItemStatus.WAITING, links__isnull=True
    )
    for item in waiting.select_related("instance").order_by("pk"):
        if item.instance is None:
            settle(item, GONE, run=run, actor=actor_of_run(run), now=now)
        else:
            reconnect.make_link(
                item.instance, item=item, user=run.requested_by, now=now
            )
    if run.options.get("self_consent"):
        # Also those whose first message was lost: a consent in hand is not begun twice.
        own = Item.objects.filter(run=run, status=ItemStatus.WAITING)
        for pk in own.values_list("pk", flat=True):
            nudge("instances.consent", item_id=pk)


def consent(item_id: int, *, now: datetime) -> None:
    """Let an item of a drill on the emulator play the person at the consent page itself."""
    item = (
        Item.objects.select_related("run__organization")
        .filter(pk=item_id, status=ItemStatus.WAITING)
        .first()
    )
    link = ReconnectLink.objects.filter(item_id=item_id).order_by("-pk").first()
    if item is None or link is None or not item.run.options.get("self_consent"):
        return
    with trace.about_run(item.run.uid):
        reconnect.consent_by_itself(link, now=now)
        bring_on(item.run, timezone.now())

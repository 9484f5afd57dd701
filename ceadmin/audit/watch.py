"""Sign how far the audit has come, and notice when it is no longer what was signed."""

import json
import logging
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext_noop

from ceadmin.audit import checkpoint_file
from ceadmin.audit.actors import SCHEDULE
from ceadmin.audit.canonical import plain
from ceadmin.audit.checkpoints import IN_LOG, Checkpoint, checkpoint
from ceadmin.audit.choices import Action
from ceadmin.audit.models import Event, Head
from ceadmin.audit.record import SYSTEM_CHAIN, record
from ceadmin.lib.signing import own_public_keys

logger = logging.getLogger(__name__)

#: Clocks of several machines differ a little.
CLOCK = timedelta(minutes=1)
#: Recorded as it stands here; the event's page says it in the reader's language.
REMEDY = gettext_noop(
    "Restore the newer database. If the loss is meant, as after a backup was restored, "
    "move the checkpoint file away and keep it: signing goes on in a new one."
)


@dataclass(frozen=True, slots=True)
class Refusal:
    """A chain that is not what was signed before: why, and what was signed."""

    chain: str
    problem: str
    signed: str  # sequence and hash, "" where nothing was

    def __str__(self) -> str:
        return f"the audit of {self.chain or 'system'} was not signed: {self.problem}"


@dataclass(slots=True)
class Signing:
    """What came of one turn: what was signed, and what was refused."""

    signed: list[Checkpoint] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)


def sign_all(now: datetime) -> Signing:
    """Sign every chain that went on since, into the log and the file; raises OSError.

    A chain that is not what was signed before is not signed: that is logged each time,
    and recorded once.
    """
    done, path = Signing(), Path(settings.CHECKPOINT_FILE)
    with checkpoint_file.locked(path):
        before = checkpoint_file.latest(path)
        _look_at_the_clock(before, now)
        for chain, head in _heads(before).items():
            _sign(done, chain, head, before.get(chain), now)
        for one in done.signed:
            logger.info("%s%s", IN_LOG, one.line())
        if done.signed:
            checkpoint_file.append(path, done.signed)
            newest = before | {one.chain: one for one in done.signed}
            checkpoint_file.keep_latest(path, newest.values())
        for refusal in done.refused:
            _tell(refusal, now)
    return done


def _heads(before: dict[str, Checkpoint]) -> dict[str, tuple[int, str]]:
    heads = Head.objects.order_by("chain").values_list("chain", "sequence", "hash")
    found = {chain: (sequence, last) for chain, sequence, last in heads if sequence}
    return dict.fromkeys(before, (0, "")) | found


def _sign(
    done: Signing,
    chain: str,
    head: tuple[int, str],
    before: Checkpoint | None,
    now: datetime,
) -> None:
    problem = _forgery(before) or _loss(chain, head, before)
    count = 0 if problem else _count(chain, head[0], before)
    if not problem and count != head[0]:
        problem = f"{head[0]} events were written, {count} are there"
    if problem:
        signed = f"{before.sequence} {before.hash}" if before else ""
        done.refused.append(Refusal(chain, problem, signed))
    elif before is None or (before.sequence, before.hash) != head:
        done.signed.append(checkpoint(chain, head, count, now))


def _forgery(before: Checkpoint | None) -> str:
    said = before.problem(own_public_keys()) if before else ""
    return f"the last line that the checkpoint file has of it {said}" if said else ""


def _loss(chain: str, head: tuple[int, str], before: Checkpoint | None) -> str:
    """Say how a chain falls short of its own head or of what was signed before."""
    sequence, last = head
    if before and sequence < before.sequence:
        return (
            f"it ends at event {sequence}, and event {before.sequence} was signed at "
            f"{before.at}: its end was cut off, or the database is an older one"
        )
    wanted = {sequence: last} | ({before.sequence: before.hash} if before else {})
    rows = Event.objects.filter(chain=chain, sequence__in=wanted)
    found = dict(rows.values_list("sequence", "hash"))
    for number in sorted(wanted):
        if found.get(number) != wanted[number]:
            return f"event {number} is gone or is another one than it was"
    return ""


def _count(chain: str, sequence: int, before: Checkpoint | None) -> int:
    """Count the events up to a sequence; those that were signed before are counted."""
    since = before.sequence if before else 0
    rows = Event.objects.filter(chain=chain, sequence__range=(since + 1, sequence))
    return (before.count if before else 0) + rows.count()


def _look_at_the_clock(before: dict[str, Checkpoint], now: datetime) -> None:
    latest = max(
        (datetime.fromisoformat(one.at) for one in before.values()), default=now
    )
    if latest - now <= CLOCK:
        return
    logger.error("the clock was set back by %s: set it right", latest - now)
    facts = {"was": latest, "is": now, "back": str(latest - now)}
    _record_once(Action.CLOCK_WENT_BACK, SYSTEM_CHAIN, facts, "was", now)


def _tell(refusal: Refusal, now: datetime) -> None:
    logger.error("%s. %s", refusal, REMEDY)
    facts = {"problem": refusal.problem, "signed": refusal.signed, "remedy": REMEDY}
    action = Action.CHECKPOINT_REFUSED
    _record_once(action, refusal.chain, facts, "signed", now)


def _record_once(
    action: Action, chain: str, facts: dict[str, Any], key: str, now: datetime
) -> None:
    """Record it unless the last such event of the chain says the same."""
    last = Event.objects.filter(chain=chain, action=action).order_by("-id").first()
    wanted = plain(facts)
    if last is None or json.loads(last.text)["facts"].get(key) != wanted[key]:
        with transaction.atomic():
            record(action, chain=chain, actor=SCHEDULE, at=now, facts=facts)

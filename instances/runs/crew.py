"""Who works on a run, and what is to be said when nobody can."""

from __future__ import annotations

from dataclasses import dataclass

from django.core.cache import cache
from django.db.models.functions import Now
from django.utils.translation import gettext_noop
from redis.exceptions import RedisError

from ceadmin.lib import broker
from instances.choices import ChunkStatus, RunStatus
from instances.models import Chunk, Run
from instances.runs.known import OTHER_VERSION

NO_WORKER = gettext_noop(
    "No worker is alive: start one with “celery --app ceadmin worker”; the run goes on "
    "by itself."
)
AWAY = gettext_noop(
    "Queued, waiting for the worker: the broker does not answer. Nothing is lost, and "
    "the run goes on by itself."
)

#: One look at the broker is enough for all pages of a process for so many seconds.
_LOOK_SECONDS = 2


@dataclass(frozen=True, slots=True)
class Crew:
    """How many workers hold parts of a run now, and an English sentence when none can."""

    workers: int = 0
    problem: str = ""


def crew(run: Run) -> Crew:
    """Return who works on `run`; nobody is missed where there is nothing to do."""
    claimed = Chunk.objects.filter(
        run=run, status=ChunkStatus.CLAIMED, lease_until__gt=Now()
    )
    workers = claimed.order_by().values("worker").distinct().count()
    if workers or not _wants_worker(run):
        return Crew(workers)
    if run.problem == OTHER_VERSION:
        return Crew(0, run.problem_text)
    return Crew(0, missing())


def _wants_worker(run: Run) -> bool:
    if run.status == RunStatus.DRAFT:
        return run.planned_at is None
    if run.status in (RunStatus.PLANNING, RunStatus.STOPPING):
        return True
    left = Chunk.objects.filter(run=run).exclude(status=ChunkStatus.DONE)
    return run.status == RunStatus.RUNNING and left.exists()


def missing() -> str:
    """Return the sentence, in English, for when no worker lives or the broker is away; "" while all is well."""
    told: str | None = cache.get("crew")
    if told is None:
        told = _missing()
        cache.set("crew", told, _LOOK_SECONDS)
    return told


def _missing() -> str:
    try:
        return "" if broker.live_workers() else NO_WORKER
    except RedisError:
        return AWAY

"""What of a run is left alone for a while, since a server asked for that: so its chunks say."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import Count, Max, Q

from instances.choices import ChunkStatus, RunStatus
from instances.engine.claim import from_now
from instances.models import Chunk, Run

#: Chunks rest for less in passing, as when another run holds an instance.
_WORTH_TELLING = timedelta(seconds=10)


def resting(run: Run, now: datetime) -> dict[str, timedelta]:
    """Return provider → for how long nothing of it is begun; one query, of a run at work only."""
    if run.status != RunStatus.RUNNING:
        return {}
    long = Q(not_before__gt=from_now(_WORTH_TELLING))
    rows = (
        Chunk.objects.filter(run=run)
        .exclude(status=ChunkStatus.DONE)
        .order_by()
        .values_list("provider_key")
        .annotate(
            held=Count("pk", filter=Q(status=ChunkStatus.CLAIMED)),
            until=Max("not_before", filter=long),
        )
    )
    return {key: until - now for key, held, until in rows if until and not held}

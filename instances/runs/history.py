"""What an item has cost lately: calls, to whom, and how long they took. One bounded query."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from urllib.parse import urlsplit

from instances.models import Attempt, Run

#: So many runs are looked at, of each so many items, and never more calls than this.
_RUNS, _ITEMS, _CALLS = 3, 100, 3_000


@dataclass(frozen=True, slots=True)
class Cost:
    """What one item costs: calls to the platform and to its provider, and how long a call takes."""

    platform_calls: float
    provider_calls: float
    call_seconds: (
        float  # the median, at least a thousandth; 0 where no call was ever made
    )

    @property
    def seconds(self) -> float:
        """Return how long the calls of one item take, one after the other."""
        return (self.platform_calls + self.provider_calls) * self.call_seconds


def costs(run: Run) -> dict[str, Cost]:
    """Return provider → what its items cost in the newest runs of this kind and organization, this one among them."""
    newest = Run.objects.filter(
        organization=run.organization_id, kind=run.kind, started_at__isnull=False
    ).order_by("-created_at")
    pks = list(newest.values_list("pk", flat=True)[:_RUNS])
    calls = Attempt.objects.filter(
        item__run__in=pks, item__number__lte=_ITEMS, duration_ms__isnull=False
    ).values_list("item__provider_key", "item_id", "url", "duration_ms")
    platform = urlsplit(run.organization.base_url).netloc
    by_provider: dict[str, list[tuple[int, str, int]]] = defaultdict(list)
    for key, item, url, duration in calls[:_CALLS]:
        by_provider[key].append((item, url, duration or 0))
    return {key: _cost(rows, platform) for key, rows in by_provider.items()}


def _cost(rows: Sequence[tuple[int, str, int]], platform: str) -> Cost:
    items = len({item for item, _, _ in rows})
    there = sum(urlsplit(url).netloc == platform for _, url, _ in rows)
    middle = median(duration for _, _, duration in rows)
    return Cost(there / items, (len(rows) - there) / items, max(middle, 1) / 1000)


def usual(known: dict[str, Cost]) -> Cost | None:
    """Return what an item costs at a provider that was never met, as the others do; None without any."""
    if not known:
        return None
    return Cost(
        median(one.platform_calls for one in known.values()),
        median(one.provider_calls for one in known.values()),
        median(one.call_seconds for one in known.values()),
    )

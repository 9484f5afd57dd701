"""How long a draft would take: from the limits, and from what its calls took lately."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from django.utils.translation import gettext

from ceadmin import ui
from instances.choices import RunKind
from instances.models import Run
from instances.runs.bounds import Bound, binding, expected


@dataclass(frozen=True, slots=True)
class Forecast:
    """The time a run takes as far as anybody can tell; None when nothing is known of it."""

    duration: timedelta | None
    words: str

    @property
    def seconds(self) -> float | None:
        """Return the same in seconds."""
        return self.duration.total_seconds() if self.duration else None


def forecast(run: Run, items: Mapping[str, int]) -> Forecast:
    """Return how long `items` (provider → how many) take; what waits for people has no such time."""
    if run.kind in (RunKind.RECONNECT, RunKind.SYNC) or not any(items.values()):
        return Forecast(None, "")
    each = expected(run, items)
    lasting = [items[key] * cost.seconds for key, cost in each.items()]
    longest = max(cost.seconds for cost in each.values())
    # One item's calls follow each other, however many connections there are.
    seconds = max(sum(lasting) / run.connections, longest)
    bound = binding(run, items)
    if bound is not None and bound.seconds >= seconds:
        return _limited(bound, known=seconds > 0)
    if not seconds:
        return Forecast(
            None,
            gettext("No history here yet: how long it takes shows once it runs."),
        )
    duration = timedelta(seconds=seconds)
    calls = ui.things(run.connections, "connection", "connections")
    words = gettext("About %(time)s at %(connections)s.")
    about = {"time": ui.roughly(duration), "connections": calls}
    return Forecast(duration, words % about)


def _limited(bound: Bound, *, known: bool) -> Forecast:
    duration = timedelta(seconds=bound.seconds)
    words = (
        gettext("About %(time)s, %(limit)s.")
        if known
        else gettext("No history here yet. About %(time)s, %(limit)s.")
    )
    about = {"time": ui.roughly(duration), "limit": bound.words}
    return Forecast(duration, words % about)

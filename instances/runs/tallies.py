"""What an old run still tells: its counts, and when its items and calls were removed."""

from __future__ import annotations

from typing import Any

from instances.models import Item, Run


def rows_of(run: Run) -> list[dict[str, Any]]:
    """Return counts by provider, status, outcome and cause (ItemQuerySet.tally), however old the run is."""
    if run.tallies is not None:
        return list(run.tallies)
    return Item.objects.filter(run=run).tally()


def removed_words(run: Run) -> str:
    """Return the sentence that says what of a run was removed for its age, "" while all is there."""
    if run.items_removed_at:
        what, when, stays = "items", run.items_removed_at, "open concerns"
    elif run.attempts_removed_at:
        what, when, stays = "single calls", run.attempts_removed_at, "items"
    else:
        return ""
    return (
        f"The {what} of this run were removed on {when:%Y-%m-%d} for their age; "
        f"its counts, {stays} and the audit stay."
    )

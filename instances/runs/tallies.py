"""What an old run still tells: its counts, and when its items and calls were removed."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext

from instances.models import Item, Run


def rows_of(run: Run) -> list[dict[str, Any]]:
    """Return counts by provider, status, outcome and cause (ItemQuerySet.tally), however old the run is."""
    if run.tallies is not None:
        return list(run.tallies)
    return Item.objects.filter(run=run).tally()


def removed_words(run: Run) -> str:
    """Return the sentence that says what of a run was removed for its age, "" while all is there."""
    if run.items_removed_at:
        return gettext(
            "The items of this run were removed on %(day)s for their age; its counts, "
            "open concerns and the audit stay."
        ) % {"day": f"{run.items_removed_at:%Y-%m-%d}"}
    if run.attempts_removed_at:
        return gettext(
            "The single calls of this run were removed on %(day)s for their age; its "
            "counts, items and the audit stay."
        ) % {"day": f"{run.attempts_removed_at:%Y-%m-%d}"}
    return ""

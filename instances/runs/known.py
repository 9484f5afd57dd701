"""What this version knows of runs: a run of another version is left to workers that know it.

Workers of two versions share a database while one replaces the other. Whatever an older
one must not work gets a kind or an option that it does not know.
"""

from __future__ import annotations

import logging
from typing import Any

from django.utils.translation import gettext_noop

from instances.choices import RunKind
from instances.models import Run

logger = logging.getLogger(__name__)

KINDS = set(RunKind.values)

#: Options and the values each may take.
OPTIONS: dict[str, tuple[Any, ...]] = {
    "only": ("access", "refresh"),
    "form": ("default", "article"),
    "self_consent": (True, False),
    "dry_run": (True, False),
}

OTHER_VERSION = "other_version"
_LEFT_ALONE = gettext_noop(
    "A worker of another version left this run alone, since it does not know its kind or "
    "an option of it. Start a worker of the version that made the run: it goes on by itself."
)


def knows(run: Run) -> bool:
    """Return whether this version knows all of a run; note it with the run where not."""
    known = run.kind in KINDS and all(
        value in OPTIONS.get(name, ()) for name, value in run.options.items()
    )
    told = run.problem == OTHER_VERSION
    if known and told:
        _note(run, OTHER_VERSION, "", "")
    if not known and not told:
        logger.warning("left to a worker of another version: %s", run.kind)
        _note(run, "", OTHER_VERSION, _LEFT_ALONE)
    return known


def _note(run: Run, before: str, problem: str, words: str) -> None:
    own = Run.objects.filter(pk=run.pk, problem=before)
    if own.update(problem=problem, problem_text=words):
        run.problem, run.problem_text = problem, words

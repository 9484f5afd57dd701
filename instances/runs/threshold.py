"""When a revocation or drill needs a second person: too many instances, or production."""

from __future__ import annotations

from ceadmin.teams.terms import Terms, terms_of
from instances.choices import DESTRUCTIVE
from instances.models import Run
from instances.runs.kin import Kin, kin_of
from instances.runs.rights import instances_of


def needed(run: Run, kin: Kin | None = None) -> list[str]:
    """Return why a run needs an approver, a sentence each; none where it does not.

    Whoever dies with the list counts as if they stood on it: `kin`, where it was read
    already. Asked again when it starts: tags and policy may have changed since.
    """
    if run.kind not in DESTRUCTIVE or run.options.get("dry_run") or not run.total:
        return []
    terms, kin = terms_of(run.organization), kin_of(run) if kin is None else kin
    return [*_by_number(run, terms, len(kin)), *_by_tag(terms, run, kin)]


def _by_number(run: Run, terms: Terms, siblings: int) -> list[str]:
    if terms.most_alone is None:
        return []
    count = run.total + siblings
    if count <= terms.most_alone:
        return []
    shared = f", {siblings:,} of them by a shared grant" if siblings else ""
    things = "1 instance" if count == 1 else f"{count:,} instances"
    if terms.most_alone == 0:
        return [f"It touches {things}{shared}; here every one needs an approver."]
    return [
        f"It touches {things}{shared}; more than {terms.most_alone:,} need an approver."
    ]


def _by_tag(terms: Terms, run: Run, kin: Kin) -> list[str]:
    if not terms.production_tags:
        return []
    all_of = (instances_of(run), kin.instances)
    count = sum(some.tagged(terms.production_tags).count() for some in all_of)
    if not count:
        return []
    tags = " or ".join(f"“{tag}”" for tag in sorted(terms.production_tags))
    what = "One instance is" if count == 1 else f"{count:,} instances are"
    return [f"{what} tagged {tags}; production needs an approver."]

"""When a revocation or drill needs a second person: too many instances, or production."""

from __future__ import annotations

from django.utils.translation import gettext_noop

from ceadmin.lib.sayings import Saying
from ceadmin.teams.terms import Terms, terms_of
from instances.choices import DESTRUCTIVE
from instances.models import Run
from instances.runs.kin import Kin, kin_of
from instances.runs.rights import instances_of

#: Why a run needs an approver; kept in English with the question and in the audit.
_EACH = Saying(gettext_noop("It touches 1 instance; here every one needs an approver."))
_ALL = Saying(
    gettext_noop("It touches %(count)s instances; here every one needs an approver.")
)
_ALL_SHARED = Saying(
    gettext_noop(
        "It touches %(count)s instances, %(shared)s of them by a shared grant; here "
        "every one needs an approver."
    )
)
_MORE = Saying(
    gettext_noop("It touches %(count)s instances; more than %(most)s need an approver.")
)
_MORE_SHARED = Saying(
    gettext_noop(
        "It touches %(count)s instances, %(shared)s of them by a shared grant; more "
        "than %(most)s need an approver."
    )
)
_ONE_TAGGED = Saying(
    gettext_noop("One instance is tagged %(tags)s; production needs an approver.")
)
_TAGGED = Saying(
    gettext_noop(
        "%(count)s instances are tagged %(tags)s; production needs an approver."
    )
)
REASONS = (_ALL_SHARED, _MORE_SHARED, _ALL, _MORE, _ONE_TAGGED, _TAGGED)


def needed(run: Run, kin: Kin | None = None) -> list[str]:
    """Return why a run needs an approver, an English sentence each; none where it does not.

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
    if terms.most_alone:
        saying = _MORE_SHARED if siblings else _MORE
        numbers = {"count": count, "shared": siblings, "most": terms.most_alone}
        return [saying.english(**numbers)]
    if siblings:
        return [_ALL_SHARED.english(count=count, shared=siblings)]
    return [_EACH.english() if count == 1 else _ALL.english(count=count)]


def _by_tag(terms: Terms, run: Run, kin: Kin) -> list[str]:
    if not terms.production_tags:
        return []
    all_of = (instances_of(run), kin.instances)
    count = sum(some.tagged(terms.production_tags).count() for some in all_of)
    if not count:
        return []
    tags = " or ".join(f"“{tag}”" for tag in sorted(terms.production_tags))
    saying = _ONE_TAGGED if count == 1 else _TAGGED
    return [saying.english(count=count, tags=tags)]

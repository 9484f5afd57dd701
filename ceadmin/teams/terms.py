"""What a policy says, as a value that can be compared: which change loosens, which tightens."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from django.utils.translation import gettext, gettext_noop, ngettext

from ceadmin import ui
from ceadmin.audit.canonical import clipped
from ceadmin.teams.models import Organization, Policy

#: A tag of the platform is no longer than this.
LONGEST_TAG = 128
#: A policy may name so many for each meaning.
MOST_TAGS = 50


@dataclass(frozen=True, slots=True)
class Terms:
    """A policy. Tags are in small letters; `most_alone` None means any number."""

    most_alone: int | None
    production_tags: frozenset[str]
    test_tags: frozenset[str]
    approval_hours: int
    second_factor: bool = False

    def as_json(self) -> dict[str, Any]:
        """Return the terms as they are stored and hashed."""
        tags = ("production_tags", "test_tags")
        return asdict(self) | {name: sorted(getattr(self, name)) for name in tags}


def terms_from(document: Mapping[str, Any]) -> Terms:
    """Return the terms that `as_json` wrote."""
    return Terms(
        document["most_alone"],
        tags_of(document["production_tags"]),
        tags_of(document["test_tags"]),
        document["approval_hours"],
        document.get("second_factor", False),
    )


def terms_of(organization: Organization) -> Terms:
    """Return what holds in an organization now."""
    row = Policy.objects.filter(organization=organization).first() or Policy()
    return Terms(
        row.most_alone,
        tags_of(row.production_tags),
        tags_of(row.test_tags),
        row.approval_hours,
        row.second_factor,
    )


def tags_of(words: Iterable[str]) -> frozenset[str]:
    """Return tags as they are compared: small letters, no space around them.

    None is left out: a tag that is not read means nothing any more.
    """
    cleaned = (clipped(word.strip().lower(), LONGEST_TAG) for word in words)
    return frozenset(word for word in cleaned if word)


def tightened(now: Terms, wanted: Terms) -> Terms:
    """Return what of a wanted policy holds at once: nothing in it is looser than now."""
    numbers = [one for one in (now.most_alone, wanted.most_alone) if one is not None]
    return Terms(
        min(numbers, default=None),
        now.production_tags | wanted.production_tags,
        now.test_tags & wanted.test_tags,
        min(now.approval_hours, wanted.approval_hours),
        now.second_factor or wanted.second_factor,
    )


def differences(before: Terms, after: Terms) -> Iterator[str]:
    """Yield what changes, in sentences for people; the audit keeps the English ones."""
    if before.most_alone != after.most_alone:
        words = {"then": number_words(after), "was": number_words(before)}
        yield gettext("Approval is needed %(then)s; before: %(was)s.") % words
    yield from _tag_words(_PRODUCTION, before.production_tags, after.production_tags)
    yield from _tag_words(_TEST, before.test_tags, after.test_tags)
    if before.approval_hours != after.approval_hours:
        hours = {"hours": after.approval_hours, "was": before.approval_hours}
        text = gettext("An approval lives for %(hours)d hours; before: %(was)d.")
        yield text % hours
    if before.second_factor != after.second_factor:
        yield (
            gettext("Every member needs a second factor.")
            if after.second_factor
            else gettext("Every member no longer needs a second factor.")
        )


def number_words(terms: Terms) -> str:
    """Return from how many instances on an approver is needed."""
    if terms.most_alone is None:
        return gettext("for no number of instances")
    if terms.most_alone == 0:
        return gettext("for every instance")
    text = ngettext(
        "for more than %(count)s instance",
        "for more than %(count)s instances",
        terms.most_alone,
    )
    return text % {"count": ui.number(terms.most_alone)}


#: What is said of a tag that means something now, and of one that no longer does.
_PRODUCTION = (
    gettext_noop("The tag “%(tag)s” means production now."),
    gettext_noop("The tag “%(tag)s” no longer means production."),
)
_TEST = (
    gettext_noop("The tag “%(tag)s” means test now."),
    gettext_noop("The tag “%(tag)s” no longer means test."),
)


def _tag_words(
    texts: tuple[str, str], before: frozenset[str], after: frozenset[str]
) -> Iterator[str]:
    now, no_longer = texts
    for tag in sorted(after - before):
        yield gettext(now) % {"tag": tag}
    for tag in sorted(before - after):
        yield gettext(no_longer) % {"tag": tag}


def is_looser(now: Terms, wanted: Terms) -> bool:
    """Say whether anything of a wanted policy would be looser than it is now."""
    return tightened(now, wanted) != wanted


def digest_of(before: Terms, after: Terms) -> str:
    """Return the hash of a change: what its approval is bound to."""
    both = {"before": before.as_json(), "after": after.as_json()}
    return hashlib.sha256(json.dumps(both, sort_keys=True).encode()).hexdigest()

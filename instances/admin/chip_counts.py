"""How many instances a chip stands for: bounded looks into indexes, none where no index tells."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Any

from django.db.models import OuterRef
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from ceadmin import ui
from ceadmin.teams.models import Organization
from instances.bounded import MOST, BoundedCount, Count, values_of
from instances.choices import InstanceStatus
from instances.finding import Question
from instances.models import Instance

#: Of more organizations or providers together nothing is counted; one of them is chosen first.
_MANY = 20
#: What indexes hold beside each other.
_TOGETHER = frozenset({"status", "provider_key"})


def words(count: Count) -> str:
    """Write a count: 214, or 3,000+ where there are more."""
    if not count.more:
        return ui.number(count.number)
    return f"{ui.number(count.number // MOST * MOST)}+"


def counted(label: str, count: Count | None) -> str:
    """Return a chip's label with its count, or the label alone."""
    if count is None:
        return label
    return format_html('{} <span class="chip-count">{}</span>', label, words(count))


def by_status(request: HttpRequest, question: Question) -> dict[str, Count]:
    """Return how many instances of each status fit the other parts of a question; {} where no index tells."""
    others = replace(question, equal=_others(question, "status"), sort="name")
    kept = vars(request).setdefault("status_counts", {})  # of the chip and the headline
    if others not in kept:
        kept[others] = _facet(others, "status", InstanceStatus.values)
    counts: dict[str, Count] = kept[others]
    return counts


def by_provider(question: Question, keys: Collection[str]) -> dict[str, Count]:
    """Return how many instances of each provider fit the other parts of a question."""
    return _facet(question, "provider_key", keys)


def providers_of(question: Question) -> list[str]:
    """Return the keys of the providers that the organizations have instances of."""
    if len(question.organizations) > _MANY:
        return []
    return values_of(Instance, "provider_key", question.organizations, 200)


def _facet(
    question: Question, column: str, values: Collection[str]
) -> dict[str, Count]:
    others = dict(_others(question, column))
    told = (
        question.tag
        or question.search
        or question.aside
        or not others.keys() <= _TOGETHER
    )
    many = max(len(question.organizations), len(values)) > _MANY
    if told or many or not question.organizations or not values:
        return {}
    own = Organization.objects.filter(pk__in=question.organizations).order_by()
    asked = {
        f"n{place}": BoundedCount(_rows({column: value, **others}))
        for place, value in enumerate(values)
    }
    found: list[Any] = list(own.values(**asked))
    return {
        value: sum((Count.of(row[f"n{place}"]) for row in found), Count(0))
        for place, value in enumerate(values)
    }


def _others(question: Question, column: str) -> tuple[tuple[str, Any], ...]:
    return tuple(
        pair for pair in question.equal if pair[0].partition("__")[0] != column
    )


def _rows(asked: dict[str, Any]) -> Any:
    return Instance.objects.filter(organization=OuterRef("pk"), **asked)


def headline(request: HttpRequest, question: Question) -> SafeString | str:
    """Say how many instances there are and how many need somebody, each number a link to its rows."""
    plain = replace(question, equal=(), tag="", search="", aside=False)
    counts = by_status(request, plain)
    total = sum(counts.values(), Count(0))
    if not total:
        return ""
    noun = ngettext("instance", "instances", total.number)
    told = format_html('<a href="?view=all">{} {}</a>', words(total), noun)
    needy = [(status, name) for status, name in NEEDY.items() if counts[status]]
    if not needy:
        return format_html("{} · {}", told, gettext("None needs reauthentication"))
    for status, name in needy:
        told = format_html(
            '{} · <a href="?status={}">{} {}</a>',
            *(told, status, words(counts[status]), name),
        )
    return told


#: What the list's first line counts beside the whole.
NEEDY = {
    InstanceStatus.NEEDS_REAUTH: _("need reauthentication"),
    InstanceStatus.DISABLED: _("disabled"),
    InstanceStatus.DEGRADED: _("degraded"),
}

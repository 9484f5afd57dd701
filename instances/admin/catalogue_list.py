"""The catalogue as a list: every provider that is known, searched and narrowed by chips."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from ceadmin.site import Hit, site
from instances.admin.catalogue_records import Here, Standing, here, records
from providers import prose
from providers.choices import Confidence, Effect
from providers.spec import Provider

_LONGEST = 200  # characters of a search
_HITS = 10


@dataclass(frozen=True, slots=True)
class Row:
    """One record of the list."""

    provider: Provider
    standing: Standing
    dies: str
    seen: str
    instances: int

    @property
    def confidence(self) -> str:
        """Return the word of the pill."""
        return f"confidence_{self.provider.confidence}"


@dataclass(frozen=True, slots=True)
class Filter:
    """One chip: its name in the address, its title, its values, and which rows a value means."""

    name: str
    title: str | Promise
    values: tuple[tuple[str, str | Promise], ...]
    of: Callable[[Row], str]


_HERE = (
    ("on", _("Called")),
    ("off", _("Off until an owner switches it on")),
    ("by hand", _("By hand")),
)


def _effect(row: Row) -> str:
    return row.provider.revoke.effect.value if row.provider.revocable else ""


_FILTERS = (
    Filter("here", _("revocation"), _HERE, lambda row: row.standing.word),
    Filter("kills", _("what dies"), tuple(Effect.choices), _effect),
    Filter(
        "confidence",
        _("confidence"),
        tuple(Confidence.choices),
        lambda row: row.provider.confidence.value,
    ),
)


def catalogue_list(request: HttpRequest) -> HttpResponse:
    """Show the records that fit the search and the chips."""
    query, stands = cleaned(request.GET.get("q", "")), here(request)
    rows = [_row(one, stands) for one in records(request)]
    wanted = _wanted(request)
    asked = [one for one in _FILTERS if one.name in wanted]
    shown = [
        row
        for row in rows
        if matches(row.provider, query)
        and all(one.of(row) == wanted[one.name] for one in asked)
    ]
    context = {
        "title": gettext("Providers"),
        "query": query,
        "rows": shown,
        "total": len(rows),
        "chips": [_chip(one, query, wanted, rows) for one in _FILTERS],
        "kept": wanted,
        "narrowed": bool(query or wanted),
    }
    return site.page(request, "instances/catalogue/list.html", context)


def _row(provider: Provider, stands: Here) -> Row:
    return Row(
        provider,
        stands.standing(provider),
        str(provider.revoke.effect.label) if provider.revocable else "",
        prose.how_verified(provider),
        stands.counts.get(provider.key, 0),
    )


def _wanted(request: HttpRequest) -> dict[str, str]:
    """Return the chips that are set; a value that no chip has is none."""
    asked = {one.name: request.GET.get(one.name, "") for one in _FILTERS}
    known = {one.name: {value for value, _ in one.values} for one in _FILTERS}
    return {name: value for name, value in asked.items() if value in known[name]}


def _chip(
    one: Filter, query: str, wanted: dict[str, str], rows: list[Row]
) -> dict[str, Any]:
    """Return a chip as admin/filter.html draws it; what no record has is not offered."""
    present, chosen = {one.of(row) for row in rows}, wanted.get(one.name, "")
    values = [(value, label) for value, label in one.values if value in present]
    choices = [
        {
            "selected": value == chosen,
            "display": label,
            "query_string": _address({"q": query, **wanted, one.name: value}),
        }
        for value, label in [("", gettext("All")), *values]
    ]
    return {"title": one.title, "choices": choices}


def _address(pairs: dict[str, str]) -> str:
    return f"?{urlencode({name: value for name, value in pairs.items() if value})}"


# Searching


def cleaned(query: str) -> str:
    """Return what was searched for, without what no name has."""
    return query.replace("\x00", "").strip()[:_LONGEST]


def matches(provider: Provider, query: str) -> bool:
    """Say whether every word of a search stands in a record's names, keys or hosts."""
    text = " ".join(_words(provider)).casefold()
    return all(word in text for word in query.casefold().split())


def _words(provider: Provider) -> Iterable[str]:
    yield from (provider.name, provider.key)
    yield from (*provider.element_keys, *provider.related_element_keys)
    urls = [call.url for call in provider.calls().values()]
    for url in (*urls, provider.authorization_url, provider.token_url):
        yield urlsplit(url).netloc


def find(request: HttpRequest, query: str) -> Iterable[Hit]:
    """Find providers for the search of everything."""
    found = [one for one in records(request) if matches(one, query)]
    for provider in found[:_HITS]:
        url = reverse("admin:provider", args=[provider.key])
        yield Hit(gettext("Providers"), provider.name, url, provider.key)

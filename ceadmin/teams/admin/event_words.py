"""Words and pages that the audit shows and only the apps above know of; they offer them.

offer("provider_key", names_of_providers)
lead("run", address_of_run)
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext, pgettext
from django.utils.translation import gettext_lazy as _

from ceadmin import ui
from ceadmin.teams.admin.event_facts import title_of

#: Words with how they are shown, which may be lazy.
Choices = Iterable[tuple[str, Any]]

_OFFERED: dict[str, list[Callable[[], Choices]]] = {}
_ROADS: dict[str, Callable[[str], str]] = {}

_PLAIN = {True: _("Yes"), False: _("No")}
#: What people act as, as events keep it.
_ROLES = {
    "viewer": _("viewer"),
    "operator": _("operator"),
    "revoker": _("revoker"),
    "approver": _("approver"),
    "auditor": _("auditor"),
    "owner": _("owner"),
    "superuser": _("superuser"),
}
#: Facts that are a sentence of the product's own, kept in English.
_SENTENCES = frozenset({"remedy"})
#: Facts that are a state before and after, where they are one: a revocation goes "to" an address.
_STATES = frozenset({"from", "to"})
#: Facts that are no words of any language.
_CODES = frozenset(
    {
        *("address_fingerprint", "digest", "excerpt", "fingerprint", "grant", "method"),
        *("network_fingerprint", "record_digest", "route", "selection_hash"),
    }
)
#: Facts that are lists of roles.
_LISTS_OF_ROLES = frozenset({"roles", "before", "after"})


def offer(name: str, source: Callable[[], Choices]) -> None:
    """Let the filter `name` offer what `source` knows; "fact" names what events hold.

    A fact is named by its key, and what it can be by `key=value`; one that only the
    program needs has an empty name.
    """
    _OFFERED.setdefault(name, []).append(source)


def offered(name: str) -> list[tuple[str, str]]:
    """Return what was offered for a filter, in the reader's language."""
    sources = _OFFERED.get(name, ())
    return [(value, str(words)) for source in sources for value, words in source()]


def lead(kind: str, find: Callable[[str], str]) -> None:
    """Let `find` say where the page of a subject is by its uid, "" where there is none."""
    _ROADS[kind] = find


def page_of(kind: str, uid: str) -> str:
    """Return the address of a subject's page, "" where there is none."""
    find = _ROADS.get(kind)
    return find(uid) if find and uid else ""


def roles_in_words(words: Iterable[str]) -> str:
    """Name the roles in which somebody acted."""
    return ", ".join(str(_ROLES.get(word, word)) for word in words)


def subject_in_words(kind: str, name: str) -> str:
    """Name a subject; a run has no name but the product's own word for its kind, kept in English."""
    if kind != "run":
        return name
    word, gap, rest = name.partition(" ")
    return f"{pgettext('kind of run', word)}{gap}{rest}"


def in_words(facts: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield what an event's facts are called, and what they are, in words."""
    words = dict(offered("fact"))
    order = [*words, *facts]  # as they are asked for; then what nobody named
    for name in sorted(facts, key=order.index):
        value = facts[name]
        title = words.get(name, title_of(name))
        if title and value not in (None, "", [], {}):
            told = _told(name, value, words)
            yield title, _code(told) if name in _CODES else told


def _code(told: str) -> SafeString:
    return format_html("<code>{}</code>", told)


def _told(name: str, value: Any, words: Mapping[str, str]) -> str:
    if isinstance(value, list):
        if name in _LISTS_OF_ROLES:
            return roles_in_words(map(str, value))
        return ", ".join(_told(name, one, words) for one in value)
    if isinstance(value, Mapping):
        parts = (f"{key}: {_told(key, one, words)}" for key, one in value.items())
        return ", ".join(parts)
    return "–" if value is None else _plain(name, value, words)


def _plain(name: str, value: Any, words: Mapping[str, str]) -> str:
    if isinstance(value, bool):
        return str(_PLAIN[value])
    if name in _STATES and value in ui.LOOKS:
        return str(ui.look(value).label)
    if name in _SENTENCES:
        return gettext(str(value))
    return words.get(f"{name}={value}", str(value))

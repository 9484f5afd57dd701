"""Every page of the product in a language that no reader knows: what stays legible was left over.

Each sentence that goes through Django's translation comes back in letters that only look
Latin. What a page still says in Latin letters is data, or nobody marked it.
"""

import re
import zoneinfo
from collections.abc import Iterator
from html.parser import HTMLParser

import pytest
from django.test import Client
from django.utils import translation
from django.utils.translation import trans_real

from ceadmin.audit.models import Event
from ceadmin.teams.models import Invitation, Organization, User
from instances.models import Instance, InstanceTag, ReconnectLink, Run, SavedView
from providers import catalogue
from providers.models import OwnProvider, OwnProviderVersion, ProviderApp
from tests.browser.everything import every_page, world

__all__ = ["world"]

pytestmark = pytest.mark.any_database

FROM = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
TO = "абцдефгхийклмнопярстувцчыжАБЦДЕФГХИЙКЛМНОПЯРСТУВЦЧЫЖ"
STRANGE = str.maketrans(FROM, TO)
#: What a sentence keeps: holes, tags, entities, and addresses.
KEPT = re.compile(r"(%\(\w+\)[sd]|%[sd%]|\{\w*\}|<[^>]+>|&\w+;|https?://\S+|\S+@\S+)")


def strange(text: str) -> str:
    """Write a text in letters that are not Latin."""
    parts = KEPT.split(str(text))
    return "".join(p if n % 2 else p.translate(STRANGE) for n, p in enumerate(parts))


@pytest.fixture
def strange_language(monkeypatch):
    """Let every marked sentence come out strange."""
    many = lambda one, more, number: strange(one if number == 1 else more)  # noqa: E731
    monkeypatch.setattr(translation._trans, "gettext", strange, raising=False)
    monkeypatch.setattr(translation._trans, "ngettext", many, raising=False)
    monkeypatch.setattr(
        translation._trans,
        "pgettext",
        lambda context, text: strange(text),
        raising=False,
    )
    monkeypatch.setattr(
        translation._trans,
        "npgettext",
        lambda context, *words: many(*words),
        raising=False,
    )
    assert trans_real.gettext("Overview") == "Overview"  # Django's own stays as it is


class Texts(HTMLParser):
    """Collect what a person reads of a page, but code, and what says which language it is."""

    SILENT = frozenset({"script", "style", "code", "pre", "kbd", "textarea", "samp"})
    EMPTY = frozenset({"input", "img", "br", "meta", "link", "hr", "use", "wbr"})

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.open: list[bool] = []

    def handle_starttag(self, tag, attrs) -> None:
        named = dict(attrs)
        own = "lang" in named and tag != "html"
        own |= named.get("translate") == "no" or tag in self.SILENT
        if tag not in self.EMPTY:
            self.open.append(own)
        if own or any(self.open):
            return
        told = ["title", "aria-label", "placeholder", "alt"]
        if tag == "input" and named.get("type") in ("submit", "button"):
            told.append("value")
        self.found += [named[name] for name in told if named.get(name)]

    def handle_endtag(self, tag) -> None:
        if tag not in self.EMPTY and self.open:
            self.open.pop()

    def handle_data(self, data: str) -> None:
        if data.strip() and not any(self.open):
            self.found.append(" ".join(data.split()))


#: Names and terms that are the same in every language.
TERMS = {
    *(
        "OAuth",
        "URL",
        "URLs",
        "CSV",
        "JSON",
        "JSONL",
        "TOML",
        "HTTP",
        "HTTPS",
        "UTC",
        "ID",
    ),
    *(
        "GET",
        "POST",
        "PATCH",
        "PUT",
        "DELETE",
        "PNG",
        "JPEG",
        "WebP",
        "API",
        "RFC",
        "TLS",
    ),
    *("ceadmin", "curl", "English", "Deutsch", "Cloud", "Elements", "SAP", "Open"),
    *("Connectors", "Token", "Tokens", "SHA", "Chromium", "Chrome", "Linux", "Firefox"),
    *("eu", "inst", "nam"),  # a tag that an address asks for; names that are cut
    *("min", "mo", "GitHub", "Python", "Django", "example", "com"),
    "ms",  # the unit, as in every language
}
NAMES = (
    (Instance, "name", "remote_id", "provider_key", "status_text"),
    (Instance, "element_key", "account", "callback_url"),
    (InstanceTag, "name"),
    (Organization, "name", "slug", "base_url"),
    (User, "name", "email"),
    (ProviderApp, "name", "client_id"),
    (Invitation, "email"),
    (SavedView, "name", "query"),
    (OwnProvider, "key", "name"),
    (OwnProviderVersion, "why"),
    (Event, "reason", "ticket"),
    (Run, "reason", "ticket"),
    (ReconnectLink, "expected_account", "found_account", "problem_text"),
)
WORD = re.compile(r"[A-Za-z]{2,}")
#: Identifiers, fingerprints, addresses and names of fields are no words.
NO_WORDS = re.compile(
    r"\b(?:GET|POST|PATCH|PUT|DELETE) /\S*|"
    r"\b[0-9a-f]{8}-[0-9a-f-]{27}\b|\b(?=\w*\d)\w{6,}\b|https?://\S+|\S+@\S+|\b\w+[_.]\w\S*"
)


def names() -> set[str]:
    """Return every word of the names that this database has, and of the catalogue's."""
    zones = " ".join(zoneinfo.available_timezones())
    found = {*TERMS, *WORD.findall(zones)}
    for model, *fields in NAMES:
        kept = [name for name in fields if hasattr(model, name)]
        for values in model.objects.values_list(*kept):
            found |= {word for value in values for word in WORD.findall(str(value))}
    for record in catalogue.all():
        found |= set(WORD.findall(f"{record.key} {record.name}"))
    return found


def legible(html: str, known: set[str]) -> Iterator[str]:
    """Yield each text of a page in which a Latin word stands that is no name."""
    read = Texts()
    read.feed(html)
    for text in read.found:
        words = WORD.findall(NO_WORDS.sub(" ", text))
        if left := [word for word in words if word not in known]:
            yield f"{' '.join(left)} <- {text[:140]}"


def test_no_page_says_anything_that_was_not_translated(
    world, strange_language, client: Client
):
    client.force_login(User.objects.get(email="otto@example.com"))
    known, left = names(), {}

    for address in every_page():
        answer = client.get(address, headers={"accept-language": "en"})
        if "html" in answer.get("Content-Type", ""):
            for text in legible(answer.content.decode(), known):
                left.setdefault(text, address)

    lines = sorted(f"{text}   {address}" for text, address in left.items())
    assert not lines, "\n".join(lines)


def test_what_was_not_marked_is_found():
    page = (
        "<p>Ыес <b title='Left over'>Box</b></p><code>curl it</code><i lang=en>So</i>"
    )

    assert list(legible(page, {"Box"})) == ["Left over <- Left over"]

"""Public pages speak English and German, all of them, and no sentence is left over."""

import gettext
from html.parser import HTMLParser
from pathlib import Path

import polib
import pytest
from django.conf import settings
from django.template.loader import render_to_string
from django.test import RequestFactory
from django.utils import timezone, translation

from ceadmin.teams import brands
from ceadmin.teams.brands import Look
from ceadmin.teams.permissions import actor_of
from ceadmin.teams.users import Hand
from instances.views.pages import about, going
from tests.instances.reconnecting import Browser, waiting

FOLDER = Path(settings.LOCALE_PATHS[0]) / "de" / "LC_MESSAGES"
PAGES = sorted(
    path.name
    for path in Path("instances/templates/instances/public").glob("[!_]*.html")
)
#: Data that stands in the pages and is the same in every language.
DATA = {"box", "acme", "acme’s box", "229876543", "root_readwrite", "api.box.com"}
DATA |= {"account.box.com", "app.customer.example", "a", "help@acme.example"}


class Texts(HTMLParser):
    """Collect what a person reads on a page."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_data(self, data: str) -> None:
        if text := " ".join(data.split()):
            self.found.append(text)

    def handle_starttag(self, tag, attrs) -> None:
        named = dict(attrs)
        self.found += [
            named[name]
            for name in ("title", "aria-label", "placeholder")
            if named.get(name)
        ]


def texts(html: str) -> set[str]:
    read = Texts()
    read.feed(html)
    return {one for one in read.found if any(letter.isalpha() for letter in one)}


@pytest.fixture
def words(emulator, team, db):
    """What the fullest page shows: a link of an app with scopes and a brand."""
    case = waiting(emulator, team.acme, user=team.olga, mode="theirs")
    hand = Hand(actor_of(team.otto, team.acme), timezone.now())
    brands.save(team.acme, Look("", "#112233", "help@acme.example", b""), hand)
    case.link.expected_account = "229876543"
    shown = going(case.fresh(), "https://account.box.com/api/oauth2/authorize")
    return {**about(case.fresh()), **shown, "again": "/reconnect/x/"}


@pytest.mark.parametrize("template", PAGES)
@pytest.mark.parametrize("known", [True, False], ids=["of a link", "to a stranger"])
def test_every_sentence_of_a_page_is_german_in_german(template, known, words):
    if not known and template in ("start.html", "continue.html"):
        known = True  # nobody sees these without a link
    request = RequestFactory().get("/")
    said = {}
    for language in ("en", "de"):
        with translation.override(language):
            shown = render_to_string(
                f"instances/public/{template}", words if known else {}, request
            )
        said[language] = texts(shown)

    same = {one for one in said["en"] & said["de"] if one.lower() not in DATA}
    assert same == set()
    assert said["de"]


def test_every_message_is_translated_and_keeps_its_placeholders():
    catalogue = polib.pofile(str(FOLDER / "django.po"))

    assert len(catalogue) > 50
    assert catalogue.untranslated_entries() == []
    assert catalogue.fuzzy_entries() == []
    for entry in catalogue:
        own = {*holes(entry.msgid), *holes(entry.msgid_plural)}
        for said in forms(entry).values():
            assert said and set(holes(said)) <= own, entry.msgid
        assert {*holes("".join(forms(entry).values()))} == own, entry.msgid


def forms(entry) -> dict[tuple[str, int], str]:
    """Return what an entry says, by its words and its number as gettext looks them up."""
    words = f"{entry.msgctxt}\x04{entry.msgid}" if entry.msgctxt else entry.msgid
    if entry.msgid_plural:
        return {(words, number): said for number, said in entry.msgstr_plural.items()}
    return {(words, -1): entry.msgstr}


def holes(text: str) -> list[str]:
    return [part.split(")")[0] for part in text.split("%(")[1:]]


def test_what_is_served_is_what_is_written():
    written = polib.pofile(str(FOLDER / "django.po"))
    with (FOLDER / "django.mo").open("rb") as file:
        served = gettext.GNUTranslations(file)

    said = {key: text for entry in written for key, text in forms(entry).items()}
    for (words, number), text in said.items():
        kept = words if number < 0 else (words, number)
        assert served._catalog[kept] == text, words


@pytest.mark.parametrize(
    ("asked", "spoken"),
    [
        ("de-AT,de;q=0.9,en;q=0.5", "de"),
        ("en-GB,en;q=0.9,de;q=0.1", "en"),
        ("fr,ja;q=0.5", "en"),
        ("", "en"),
        ("*;q=no, ,;;", "en"),
    ],
)
def test_a_page_speaks_what_the_browser_asks_for(emulator, acme, asked, spoken):
    case = waiting(emulator, acme)
    person = Browser()
    person.client.defaults["HTTP_ACCEPT_LANGUAGE"] = asked

    answer = person.open(case)

    page = answer.content.decode()
    title = {
        "de": "Verbinden Sie Ihr Box-Konto neu",
        "en": "Reconnect your Box account",
    }
    assert title[spoken] in page
    assert f'<html lang="{spoken}"' in page
    assert "Accept-Language" in answer["Vary"]
    assert translation.get_language() == "en"


def test_a_german_speaker_is_led_through_in_german(emulator, acme):
    case = waiting(emulator, acme)
    person = Browser()
    person.client.defaults["HTTP_ACCEPT_LANGUAGE"] = "de"

    assert "Wieder verbunden" in person.reconnect(case).content.decode()
    assert "schon benutzt" in person.open(case).content.decode()

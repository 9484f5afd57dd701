"""The catalogue in another language: only what is quoted of a record stays English, and says so."""

from io import StringIO

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils import translation
from django.utils.html import conditional_escape

from instances.admin.own_preview import in_words
from providers import catalogue, own_rules, prose
from providers.entry import entry
from providers.errors import SpecError
from tests.frame.test_languages import TERMS, legible, names, strange
from tests.house.sources import ROOT
from tests.providers.own_records import text
from tests.providers.support import ALL_KEYS

DOCS = ROOT / "docs" / "providers.md"
#: One of each kind: asked by introspection, switched off, signed, by hand, with site values.
SHOWN = ("google", "atlassian", "netsuite_tba", "spotify", "shopify", "generic_rfc7009")


@pytest.fixture
def german(monkeypatch):
    """Let every marked sentence come out strange where German is active, and only there."""

    def said(words: str) -> str:
        return strange(words) if translation.get_language() == "de" else words

    def counted(one: str, many: str, number: int) -> str:
        return said(one if number == 1 else many)

    real = translation._trans
    monkeypatch.setattr(real, "gettext", said, raising=False)
    monkeypatch.setattr(real, "ngettext", counted, raising=False)
    monkeypatch.setattr(real, "pgettext", lambda _, words: said(words), raising=False)


@pytest.fixture
def reader(team):
    """Somebody who reads German."""
    team.vic.language = "de"
    team.vic.save()
    client = Client()
    client.force_login(team.vic)
    return client


@pytest.mark.django_db
@pytest.mark.parametrize("key", SHOWN)
def test_a_page_of_the_catalogue_is_german_but_for_what_says_otherwise(
    german, reader, key
):
    page = reader.get(reverse("admin:provider", args=[key])).content.decode()

    assert '<html lang="de"' in page
    body = page[page.index("<main") : page.index("</main>")]
    assert list(legible(body, names())) == []
    assert f'<ul lang="en"><li>{catalogue.get(key).manual_steps[0][:1].upper()}' in page


@pytest.mark.parametrize("key", ALL_KEYS)
def test_nothing_of_a_record_is_told_in_two_languages_unsaid(german, key):
    with translation.override("de"):
        told = entry(catalogue.get(key))
    rows = [*told.answers, *(row for _, rows in told.checks for row in rows)]
    texts = [told.does, told.seen, told.verified, *told.warnings]
    texts += [text for row in rows for text in (row.when, row.means)]
    texts += [text for fact in told.facts for text in fact]
    texts += [text for one in told.samples.calls for text in (one.title, one.note)]
    texts += [one.meaning for one in told.samples.variables]
    texts += [one.kind for one in told.sources if one.kind != "Search"]

    page = "".join(f"<p>{conditional_escape(one)}</p>" for one in texts)
    assert list(legible(page, TERMS)) == []


def test_the_docs_and_the_survey_are_english_whoever_writes_them(german, tmp_path):
    path, english, other = tmp_path / "providers.md", StringIO(), StringIO()

    call_command("check_providers", "--month", "2026-11", stdout=english)
    with translation.override("de"):
        call_command("check_providers", "--write", str(path), stdout=StringIO())
        call_command("check_providers", "--month", "2026-11", stdout=other)

    assert path.read_bytes() == DOCS.read_bytes()
    assert other.getvalue() == english.getvalue()


def test_a_problem_is_found_once_and_read_in_each_language(german):
    with pytest.raises(SpecError) as caught, translation.override("de"):
        own_rules.read(text(key="box"))
    problem = caught.value

    assert str(problem) == "key: is not a lower-case word with own_ before it"
    with translation.override("de"):
        assert problem.message == strange(
            "is not a lower-case word with own_ before it"
        )


def test_what_python_says_of_a_text_is_marked_as_english(german):
    with pytest.raises(SpecError) as caught:
        own_rules.read("key")

    with translation.override("de"):
        words = in_words(caught.value)

    assert words.__html__().startswith('<code>toml</code>: <span lang="en">Expected')


def test_a_list_of_words_is_joined_as_the_language_joins_it():
    with translation.override("en"):
        assert prose.listed(["a", "b", "c"]) == "a, b and c"
        assert prose.listed(["a", "b"], "or") == "a or b"

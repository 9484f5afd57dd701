"""Sentences that are kept in English and told in the reader's language."""

import pytest
from django.utils import translation
from django.utils.translation import gettext

from ceadmin.lib.sayings import Saying, english, inside, later, spoken
from tests.frame.test_languages import strange
from tests.speaking import german

__all__ = ["german"]

HELD = Saying("%(name)s holds %(count)s of 100%%.")


def test_a_sentence_is_kept_in_english_whatever_the_language(german):
    with translation.override("de"):
        assert HELD.english(name="Box", count=12431) == "Box holds 12,431 of 100%."
        assert english(later(lambda: gettext("Done"))) == "Done"


def test_what_stands_in_the_holes_is_found_again():
    assert HELD.holes_of("Box holds 12,431 of 100%.") == {
        "name": "Box",
        "count": "12,431",
    }
    assert HELD.holes_of("Box holds nothing.") is None


def test_it_is_told_as_the_reader_speaks_and_counts(german):
    kept = HELD.english(name="Box", count=12431)
    with translation.override("de"):
        told = spoken(kept, [Saying("Another %(name)s."), HELD])

    assert told == strange(kept)  # a sentence that is known as it is


def test_holes_are_filled_where_only_the_pattern_is_known(monkeypatch):
    german = {HELD.text: "%(name)s hat %(count)s von 100%%."}
    monkeypatch.setattr(
        translation._trans,
        "gettext",
        lambda text: german.get(text, text),
        raising=False,
    )
    kept = HELD.english(name="Box", count=12431)
    with translation.override("de"):
        assert spoken(kept, [HELD]) == "Box hat 12.431 von 100%."
        assert spoken("Nobody knows this.", [HELD]) == "Nobody knows this."
        assert spoken("") == ""


def test_quoted_names_are_quoted_as_the_language_does(monkeypatch):
    german = {"“%(name)s”": "„%(name)s“", " or ": " oder "}
    monkeypatch.setattr(
        translation._trans,
        "gettext",
        lambda text: german.get(text, text),
        raising=False,
    )
    with translation.override("de"):
        assert (
            Saying("%(tags)s").spoken(tags="“prod” or “live”") == "„prod“ oder „live“"
        )


@pytest.mark.parametrize(("language", "told"), [("en", "draft"), ("de", "Draft")])
def test_german_keeps_its_capitals_inside_a_sentence(language, told):
    with translation.override(language):
        assert inside("Draft") == told


def test_what_is_told_later_is_told_in_the_language_of_that_moment(german):
    word = later(lambda: gettext("Done"))
    with translation.override("de"):
        assert str(word) == strange("Done")
    assert str(word) == "Done"

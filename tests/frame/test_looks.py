"""States, times and numbers look the same everywhere."""

import re
from datetime import UTC, datetime, timedelta
from enum import EnumType
from pathlib import Path

import pytest
from django.db.models import TextChoices
from django.utils import timezone, translation

from ceadmin import ui
from ceadmin.frame import PLACES
from ceadmin.templatetags.ui import linked
from instances import choices

ROOT = Path(__file__).resolve().parents[2]
STATIC = ROOT / "ceadmin" / "static" / "ceadmin"
TEMPLATES = sorted(ROOT.glob("*/templates/**/*.html"))
NOW = timezone.now()

STATES = [
    member
    for kind in vars(choices).values()
    if isinstance(kind, EnumType)
    and issubclass(kind, TextChoices)
    and kind not in (TextChoices, choices.RunKind, choices.Weight)
    for member in kind
]


@pytest.mark.parametrize("state", STATES, ids=str)
def test_every_state_of_the_product_has_a_look(state):
    assert str(state) in ui.LOOKS
    assert str(ui.look(state).label) == state.label


def test_a_pill_is_a_word_an_icon_and_a_colour():
    drawn = ui.pill("needs_reauth")

    assert "Needs reauthentication" in drawn
    assert "icons.svg#broken-link" in drawn
    assert 'class="pill pill-bad"' in drawn


def test_a_pill_escapes_what_it_does_not_know():
    assert "&lt;script&gt;" in ui.pill("<script>")


def test_an_empty_state_is_a_dash():
    assert "–" in ui.pill("")


def drawn_icons() -> set[str]:
    """Return the icons that code and templates ask for by name."""
    named = {look.icon for look in ui.LOOKS.values()} | {one.icon for one in PLACES}
    for file in TEMPLATES:
        named |= set(re.findall(r"{% icon \"([\w-]+)\"", file.read_text()))
    return named


def test_every_icon_asked_for_is_in_the_sprite():
    there = set(
        re.findall(r'<symbol id="([\w-]+)"', (STATIC / "icons.svg").read_text())
    )

    assert drawn_icons() - there == set()


@pytest.mark.parametrize(
    ("delta", "words"),
    [
        (timedelta(seconds=3), "just now"),
        (timedelta(seconds=41), "41 s ago"),
        (timedelta(minutes=5), "5 min ago"),
        (timedelta(hours=2, minutes=59), "2 h ago"),
        (timedelta(days=12), "12 d ago"),
        (timedelta(days=800), "2 y ago"),
        (timedelta(days=-3), "in 3 d"),
    ],
)
def test_a_moment_is_told_relatively(delta, words):
    assert ui.relative(NOW - delta, NOW) == words


def test_a_moment_has_its_full_time_in_the_reader_s_zone_as_title():
    moment = datetime(2026, 3, 12, 23, 30, tzinfo=UTC)

    with timezone.override("Europe/Berlin"):
        drawn = ui.when(moment, moment + timedelta(hours=2), bare=True)

    assert 'title="13 March 2026, 00:30:00 CET"' in drawn
    assert ">2 h<" in drawn


def test_a_number_has_separators():
    with translation.override("en"):
        assert ui.number(12431) == "12,431"


def test_small_parts_of_a_bar_stay_visible_and_the_bar_stays_full():
    bars = list(ui.stack([ui.Segment("a", 99_999, "ok"), ui.Segment("b", 1, "bad")]))
    widths = [float(bar.width.rstrip("%")) for bar in bars]

    assert widths[1] > 0.5
    assert sum(widths) == pytest.approx(100, abs=0.01)


def test_nothing_to_stack_is_no_bar():
    assert list(ui.stack([ui.Segment("a", 0, "ok")])) == []


INLINE = re.compile(
    r"<style|\sstyle\s*=|\son[a-z]+\s*=\s*[\"']|javascript:|<script(?![^>]*\ssrc=)",
    flags=re.IGNORECASE,
)


@pytest.mark.parametrize("file", TEMPLATES, ids=lambda file: file.name)
def test_no_template_has_inline_style_or_script(file):
    assert INLINE.findall(file.read_text()) == []


def test_the_check_for_inline_style_and_script_hears():
    assert INLINE.search('<p style="x">')
    assert INLINE.search("<script>alert(1)</script>")
    assert INLINE.search('<a onclick="x()">')


TOKENS = (STATIC / "css" / "tokens.css").read_text()


def block(selector: str) -> dict[str, str]:
    """Return the variables that a block of tokens.css sets."""
    body = TOKENS.split(selector + " {", 1)[1].split("}", 1)[0]
    return dict(re.findall(r"--([\w-]+): ([^;]+);", body))


LIGHT = block(":root")
CHOSEN_DARK = block('html[data-theme="dark"]')
SYSTEM_DARK = block('html:not([data-theme="light"])')


def test_both_dark_schemes_are_the_same():
    assert CHOSEN_DARK == SYSTEM_DARK
    assert CHOSEN_DARK.keys() == LIGHT.keys()


def luminance(colour: str) -> float:
    """Return the relative luminance of #rgb or #rrggbb (WCAG 2)."""
    digits = colour.lstrip("#")
    digits = "".join(2 * one for one in digits) if len(digits) == 3 else digits
    parts = [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
        for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours."""
    dark, bright = sorted((luminance(one), luminance(other)))
    return (bright + 0.05) / (dark + 0.05)


PAIRS = [
    ("text", "bg"),
    ("text", "surface"),
    ("text", "hover"),
    ("muted", "bg"),
    ("muted", "surface"),
    ("accent", "bg"),
    ("on-accent", "accent"),
    ("on-danger", "danger"),
    *((tone, f"{tone}-fill") for tone in ("ok", "warn", "bad", "strong")),
    *((tone, f"{tone}-fill") for tone in ("revoked", "quiet", "active")),
]


@pytest.mark.parametrize("scheme", [LIGHT, CHOSEN_DARK], ids=["light", "dark"])
@pytest.mark.parametrize(("text", "ground"), PAIRS)
def test_text_can_be_read(scheme, text, ground):
    assert contrast(scheme[text], scheme[ground]) >= 5.5


@pytest.mark.parametrize("scheme", [LIGHT, CHOSEN_DARK], ids=["light", "dark"])
def test_borders_of_controls_can_be_seen(scheme):
    assert contrast(scheme["control"], scheme["bg"]) >= 3


def test_addresses_in_a_text_are_links_and_nothing_else_is():
    text = "opens https://a.example/x?y=1&z=2, then <b>https://b.example/</b>."

    drawn = linked(text)

    assert re.findall(r'<a href="([^"]+)" rel="noreferrer noopener">', drawn) == [
        "https://a.example/x?y=1&amp;z=2",
        "https://b.example/",
    ]
    assert "&lt;b&gt;" in drawn
    assert drawn.endswith("&lt;/b&gt;.")

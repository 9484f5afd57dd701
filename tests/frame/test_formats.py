"""Moments, durations and numbers as readers of each language write them."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone, translation
from django.utils.translation import gettext

from ceadmin import ui

MOMENT = datetime(2026, 11, 30, 13, 5, 9, tzinfo=UTC)
SUMMER = datetime(2026, 3, 1, 13, 5, 9, tzinfo=UTC)


def test_a_moment_in_english():
    assert ui.absolute(MOMENT) == "30 November 2026, 13:05:09 UTC"


def test_a_moment_in_german_names_the_zone_as_germans_do():
    with translation.override("de"), timezone.override(ZoneInfo("Europe/Berlin")):
        written, zone = ui.absolute(MOMENT), gettext("CET")
        march = ui.absolute(SUMMER)

    assert written == f"30. November 2026, 14:05:09 {zone}"
    assert march.startswith("1. März 2026, 14:05:09 ")


@pytest.mark.parametrize(
    ("zone", "name"),
    [("Europe/Berlin", "CET"), ("Asia/Kolkata", "IST"), ("America/Sao_Paulo", "-03")],
)
def test_a_zone_is_named(zone, name):
    with timezone.override(ZoneInfo(zone)):
        assert ui.absolute(MOMENT).endswith(f" {name}")


@pytest.mark.parametrize(("language", "written"), [("en", "12,431"), ("de", "12.431")])
def test_a_number_is_grouped(language, written):
    with translation.override(language):
        assert ui.number(12431) == written


@pytest.mark.parametrize(
    ("language", "fast", "slow"),
    [("en", "4,012/s", "0.4/s"), ("de", "4.012/s", "0,4/s")],
)
def test_how_many_a_second(language, fast, slow):
    with translation.override(language):
        assert (ui.per_second(4012), ui.per_second(0.4)) == (fast, slow)


@pytest.mark.parametrize(
    ("delta", "words"),
    [
        (timedelta(days=800), "2 y"),
        (timedelta(days=45), "1 mo"),
        (timedelta(days=3), "3 d"),
        (timedelta(hours=2), "2 h"),
        (timedelta(minutes=12), "12 min"),
        (timedelta(seconds=41), "41 s"),
        (timedelta(), "0 s"),
    ],
)
def test_a_duration_is_short(delta, words):
    assert ui.short_duration(delta) == words


def test_no_format_falls_back_to_its_name():
    for language in ("en", "de"):
        with translation.override(language):
            assert "FORMAT" not in ui.absolute(MOMENT)

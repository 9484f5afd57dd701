"""The parts that pages are built of."""

import re
from datetime import timedelta

import pytest
from django.template.loader import render_to_string
from django.utils import timezone

from ceadmin import ui
from ceadmin.templatetags.ui import cells
from tests.frame.test_looks import INLINE

STEPS = [
    {"number": 1, "title": "See it alive", "state": "done", "seen": "200"},
    {
        "number": 2,
        "title": "See it dead",
        "state": "failed",
        "at": timezone.now(),
        "took": "0.4 s",
        "sentence": "It answered <200>.",
        "calls": "GET /ping\n→ 200",
        "curl": "curl /ping",
    },
    {
        "number": 3,
        "title": "Consent",
        "state": "waiting",
        "url": "/x/",
        "link": "Open it",
    },
    {"number": 4, "title": "Over", "state": "skipped"},
    {"number": 5, "title": "Alive again", "state": "todo"},
]
PARTS = {
    "ceadmin/empty_state.html": {
        "icon": "runs",
        "title": "None",
        "text": "<b>",
        "label": "Go",
        "url": "/x/",
    },
    "ceadmin/facts.html": {"facts": [("Name", "<Acme>"), ("Tag", "")]},
    "ceadmin/tiles.html": {
        "tiles": [
            {"label": "Dead", "number": 1234, "url": "/x/", "tone": "bad"},
            {"label": "Alive", "number": 0, "key": "alive", "note": "now"},
        ]
    },
    "ceadmin/code.html": {"id": "a", "code": "<curl>", "label": "Request"},
    "ceadmin/copyable.html": {"text": "<id>", "what": "id"},
    "ceadmin/timeline.html": {"steps": STEPS},
}


@pytest.mark.parametrize(("name", "context"), PARTS.items(), ids=list(PARTS))
def test_a_part_escapes_and_has_nothing_inline(name, context):
    shown = render_to_string(name, context)

    assert INLINE.findall(shown) == []
    for value in ("<b>", "<Acme>", "<curl>", "<id>", "<200>"):
        assert value not in shown


def test_a_step_offers_its_evidence_and_the_way_on():
    shown = render_to_string("ceadmin/timeline.html", {"steps": STEPS})

    assert re.findall(r'<pre id="([\w-]+)">', shown) == [
        "step-2-calls",
        "step-2-curl",
    ]
    assert 'href="/x/" rel="noreferrer"' in shown
    assert shown.count("<li") == 5


def test_a_tile_with_rows_is_a_link_to_them():
    shown = render_to_string("ceadmin/tiles.html", PARTS["ceadmin/tiles.html"])

    assert '<a href="/x/" class="tile tile-bad">' in shown
    assert ">1,234<" in shown
    assert '<div class="tile">' in shown


def test_a_cell_without_a_value_is_left_out_of_cards():
    headers = [{"text": "name"}, {"text": "base URL"}, {"text": "tags"}]
    row = ["<th>Acme", "<td>https://x", '<td class="field-tags">–</td>']

    shown = list(cells(row, headers))

    assert shown[1] == '<td data-label="Base URL">https://x'
    assert shown[2].startswith('<td data-label="Tags" data-empty class=')


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.2, "1 second"),
        (7, "7 seconds"),
        (43, "45 seconds"),
        (89, "90 seconds"),
        (125, "2 minutes"),
        (80 * 60, "80 minutes"),
        (100_000, "28 hours"),
        (20 * 86400, "20 days"),
    ],
)
def test_how_long_something_takes_is_said_roughly(seconds, words):
    assert ui.roughly(timedelta(seconds=seconds)) == words


@pytest.mark.parametrize(
    ("rate", "words"),
    [
        (4012.4, "4,012/s"),
        (12.3, "12/s"),
        (1, "1/s"),
        (0.42, "0.4/s"),
        (0.05, "3/min"),
    ],
)
def test_a_rate_is_said_by_the_second_or_the_minute(rate, words):
    assert ui.per_second(rate) == words

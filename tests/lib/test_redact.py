"""Secrets are found by value in every spelling, quickly, and words stay words."""

import base64
import html
import json
import random
import secrets
import time
from urllib.parse import quote, quote_plus

import pytest

from ceadmin.lib import redact

CANARIES = (
    "canary-plain-4711",
    "canary/with+signs==",
    "kanarien vögel & söhne",
    'canary"quoted\\back\nline',
    "00Dxx0000!AQcAQH0dMHZf.canary",
    "canary%41%2Fpercent",
    "eyJhbGciOiJSUzI1NiJ9." + "canary0" * 120,
)


@pytest.fixture(autouse=True)
def nothing_learned():
    redact.forget()
    yield
    redact.forget()


def _lowered(text):
    pieces = text.split("%")
    return pieces[0] + "".join(f"%{one[:2].lower()}{one[2:]}" for one in pieces[1:])


SPELLINGS = {
    "raw": lambda value: value,
    "percent": lambda value: quote(value, safe=""),
    "percent, slashes kept": lambda value: quote(value),
    "form": quote_plus,
    "percent, lower case": lambda value: _lowered(quote(value, safe="")),
    "form, lower case": lambda value: _lowered(quote_plus(value)),
    "percent, twice": lambda value: quote(quote(value, safe=""), safe=""),
    "base64": lambda value: base64.b64encode(value.encode()).decode().rstrip("="),
    "hex": lambda value: value.encode().hex(),
    "HEX": lambda value: value.encode().hex().upper(),
    "JSON": lambda value: json.dumps(value)[1:-1],
    "JSON, not ASCII": lambda value: json.dumps(value, ensure_ascii=False)[1:-1],
    "JSON of PHP": lambda value: json.dumps(value)[1:-1].replace("/", "\\/"),
    "JSON of Gson": lambda value: (
        json.dumps(value)[1:-1].replace("=", "\\u003d").replace("&", "\\u0026")
    ),
    "HTML": lambda value: html.escape(value),
    "Python": lambda value: repr(value)[1:-1],
}


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("value", CANARIES)
def test_a_learned_secret_is_masked_in_every_spelling(value, spelling):
    redact.learn(value)

    masked = redact.text(f"before {SPELLINGS[spelling](value)} after")

    left = masked.replace(redact.MASK, "", 1).replace("before ", "", 1)
    assert masked.startswith("before ****")
    assert len(left.removesuffix(" after")) <= 1  # base64 ends with half a character


@pytest.mark.parametrize("value", CANARIES)
def test_a_given_secret_is_masked_and_not_remembered(value):
    masked = redact.text(f"before {value} after", value)

    assert masked == "before ******** after"
    assert redact.text(f"before {value} after") == f"before {value} after"


@pytest.mark.parametrize("ahead", ["", "a", "ab", "abc", "client-1:", "kunde ü:"])
@pytest.mark.parametrize("code", [base64.b64encode, base64.urlsafe_b64encode])
@pytest.mark.parametrize("value", CANARIES)
def test_a_secret_inside_of_base64_is_masked(value, code, ahead):
    redact.learn(value)
    coded = code(f"{ahead}{value}".encode()).decode()

    masked = redact.text(f"seen: {coded}")

    left = masked.removeprefix("seen: ").replace(redact.MASK, "")
    assert redact.MASK in masked
    assert len(left) <= len(code(ahead.encode())) + 4


def test_a_secret_that_was_form_encoded_for_basic_is_masked():
    redact.learn("se/cret+ä=1")
    pair = f"client:{quote_plus('se/cret+ä=1')}"
    coded = base64.b64encode(pair.encode()).decode()

    assert coded[12:-4] not in redact.text(f"seen {coded}")


def test_the_longest_of_secrets_that_begin_alike_is_masked():
    redact.learn("canary-one", "canary-one-and-more")

    assert redact.text("<canary-one-and-more>") == "<********>"


def test_secrets_that_overlap_are_masked_as_one():
    redact.learn("canary-abcdef", "abcdef-tail-of-another")

    assert redact.text("<canary-abcdef-tail-of-another>") == "<********>"


def test_short_values_and_masks_do_not_take_words_apart():
    redact.learn("a", "", "is", "five5", "********", "*********")

    text = "this is five5 ********* a sentence"

    assert redact.text(text, "se", "", "*******") == text


@pytest.mark.parametrize(
    "text",
    ["", "naïve – 日本 \x00 \ud800", "a=", "=", "==" * 5000, "\\" * 5000, '"' * 3000],
)
def test_a_text_without_secrets_stays_as_it_is(text):
    redact.learn(*CANARIES)

    assert redact.text(text) == text


def test_a_secret_that_is_seen_again_is_not_forgotten_before_newer_ones(monkeypatch):
    monkeypatch.setattr(redact, "REMEMBERED", 100)
    redact.learn("canary-in-use", "canary-not-in-use")

    for number in range(250):
        redact.learn(f"another-secret-{number}", "canary-in-use")

    assert redact.text("canary-in-use another-secret-249") == "******** ********"
    assert redact.text("canary-not-in-use") == "canary-not-in-use"


def test_at_least_twenty_thousand_secrets_are_remembered():
    values = [f"{number:05}-canary" for number in range(20_000)]
    redact.learn(*values)

    assert redact.text(" ".join(values[::50])).strip("* ") == ""


def test_odd_values_are_taken():
    redact.learn(None, b"canary-bytes", "canary-\ud800-surrogate", "\x00" * 8)

    assert redact.text(b"<canary-bytes>") == "<********>"
    assert redact.text("<canary-\ud800-surrogate>") == "<********>"
    assert redact.text(None, None, b"\xff\xfe") == ""
    assert redact.excerpt(None) == ""


def test_a_random_text_comes_out_the_same_however_it_is_cut_into_blocks():
    draw = random.Random(7)
    values = ["".join(draw.choices("abc", k=draw.randint(6, 9))) for _ in range(40)]
    text = "".join(draw.choices("abc", k=5000))
    redact.learn(*values)

    hidden = [False] * len(text)
    for value in values:
        at = text.find(value)
        while at >= 0:
            hidden[at : at + len(value)] = [True] * len(value)
            at = text.find(value, at + 1)
    shown = "".join(char for char, hide in zip(text, hidden, strict=True) if not hide)

    assert redact.text(text).replace(redact.MASK, "") == shown


def test_an_excerpt_is_masked_before_it_is_cut_and_shows_controls():
    body = b"\x00\x1b[31m\r\n\xff " + b"x" * 20 + b" " + b"canary-" * 40
    redact.learn("canary-" * 40)

    excerpt = redact.excerpt(body, limit=60)

    assert excerpt == "\\x00\\x1b[31m\\r\\n\\xff " + "x" * 20 + " ********"
    assert redact.excerpt("日本\ud800", limit=60) == "日本\\ud800"


def test_an_excerpt_never_ends_with_the_beginning_of_a_secret():
    value = "canary-" * 300
    redact.learn(value)

    for limit in range(1, 40):
        excerpt = redact.excerpt(f"0123456789 {value} {value} {value}", limit=limit)
        assert "canary" not in excerpt and len(excerpt) <= limit


def cost(call, times):
    """Return the best of five measures of what one call costs, in microseconds."""
    best = float("inf")
    for _ in range(5):
        began = time.process_time()
        for number in range(times):
            call(number)
        best = min(best, (time.process_time() - began) / times)
    return best * 1e6


def test_masking_costs_as_good_as_nothing_however_much_is_learned():
    body = json.dumps({"message": "Failed to refresh", "requestId": "x" * 60}) * 2
    values = [secrets.token_urlsafe(40 + number % 60) for number in range(20_000)]
    began = time.process_time()

    redact.learn(*values)
    learning = (time.process_time() - began) / len(values) * 1e6

    assert learning < 150  # 10 to 20 where nothing else runs
    assert cost(lambda number: redact.text(body), 200) < 400  # 40
    assert cost(lambda number: redact.excerpt("<p>no</p>" * 9999), 100) < 2000  # 150

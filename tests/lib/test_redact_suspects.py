"""Looking for suspects first changes nothing: the result is that of spelling out every secret."""

import base64
import html
import json
import string
import sys
from unittest.mock import patch
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ceadmin.lib import redact, spellings, suspects

#: What reading back may stumble over, beside what tokens are made of.
ODD = "%+/=-_.~!&;<>'\"\\ \n\t\x00uxU0123456789abcdefABCDEF#é☃😀"
LETTERS = st.sampled_from(string.ascii_letters + string.digits + ODD)
SECRETS = st.one_of(
    st.text(LETTERS, min_size=6, max_size=60),
    st.text(st.sampled_from(string.ascii_letters + "0123456789-_."), min_size=18),
    st.text(st.sampled_from("%25uU0\\x41&amp;"), min_size=18, max_size=40),
    st.text(min_size=12, max_size=40),
)


def basic(value):
    """Return HTTP Basic's form of a value."""
    pair = f"id:{quote_plus(value, errors='surrogatepass')}"
    return base64.b64encode(pair.encode()).decode()


def raw(value):
    """Return a value's bytes."""
    return value.encode("utf-8", "surrogatepass")


TRAVELS = [
    str,
    lambda value: quote(raw(value), safe=""),
    lambda value: quote(raw(value)),
    lambda value: quote_plus(raw(value)),
    lambda value: quote(quote(raw(value), safe=""), safe=""),
    lambda value: raw(value).hex(),
    lambda value: raw(value).hex().upper(),
    lambda value: base64.b64encode(raw(value)).decode(),
    lambda value: base64.urlsafe_b64encode(b"a" + raw(value) + b"zz").decode(),
    lambda value: base64.b64encode(b"ab" + raw(value)).decode(),
    basic,
    lambda value: json.dumps(value)[1:-1],
    lambda value: json.dumps(value, ensure_ascii=False)[1:-1],
    lambda value: json.dumps(value)[1:-1].replace("/", "\\/"),
    html.escape,
    lambda value: repr(value)[1:-1],
]


@pytest.fixture(autouse=True)
def nothing_learned():
    redact.forget()
    yield
    redact.forget()


def eagerly(text, values, enough=None):
    """Return what comes of looking for every spelling of every value."""
    kept = [one for one in values if len(one) >= 6 and not redact.is_masked(one)]
    return spellings.without(text, [spellings.Known(kept)], enough)


@st.composite
def texts(draw):
    """Secrets, and a text in which some of their spellings stand among what misleads."""
    values = draw(st.lists(SECRETS, min_size=1, max_size=4))
    pieces = st.one_of(
        st.text(LETTERS, max_size=12),
        st.sampled_from(["%", "%2", "\\", "\\u", "\\U000", "&", "&am", "=", "a", "4f"]),
        st.builds(
            lambda value, travel: travel(value),
            st.sampled_from(values),
            st.sampled_from(TRAVELS),
        ),
    )
    return values, "".join(draw(st.lists(pieces, max_size=8)))


def by_value(text, given_values, enough=None):
    """Return what the module makes of a text, names left alone."""
    return redact._by_value(text, tuple(given_values), enough)


@settings(max_examples=1500, deadline=None)
@given(texts())
@example((["4Ab/cdefghijklmnopq"], "%4Ab%2Fcdefghijklmnopq"))
@example((["25%4Abcdefghijklmnop"], "%2525%25254Abcdefghijklmnop"))
@example((["U0001F600bcdefghijkl"], "\\U0001F600bcdefghijkl"))
@example((["\nabcdefghijklmnopqrs"], "\\\\nabcdefghijklmnopqrs"))
@example((["amp;abcdefghijklmnop"], "&amp;abcdefghijklmnop"))
@example((["\ud83d\ude00-two-halves-of-one"], "\\ud83d\\ude00-two-halves-of-one"))
def test_given_secrets_are_masked_as_if_all_were_spelled_out(drawn):
    values, text = drawn

    assert by_value(text, values) == eagerly(text, values)


@settings(max_examples=700, deadline=None)
@given(texts())
def test_learned_secrets_are_masked_as_if_all_were_spelled_out(drawn):
    values, text = drawn
    redact.forget()
    redact.learn(*values)

    assert by_value(text, ()) == eagerly(text, values)


@settings(max_examples=300, deadline=None)
@given(texts(), st.integers(0, 700), st.integers(1, 60))
def test_the_beginning_of_a_long_text_is_masked_like_the_whole(drawn, ahead, enough):
    values, text = drawn
    text = "." * ahead + text * 5 + "-" * 5000

    assert by_value(text, values, enough) == eagerly(text, values, enough)


@settings(max_examples=300, deadline=None)
@given(texts())
def test_an_address_is_masked_alike_whatever_was_asked_before(drawn):
    values, text = drawn
    redact.forget()
    plain = redact.url(text)
    redact.learn("another-secret-of-this-process")

    assert redact.url(text) == plain
    assert redact.url(text, *values) == redact.text(text, *values)
    redact.learn(*values)
    assert redact.url(text) == redact.text(text)


@given(st.text(LETTERS, max_size=300))
def test_every_place_of_what_reads_back_is_looked_at(text):
    reading = suspects.Reading(text)
    back = reading.back
    places = [back[at : at + 8] for at in range(len(back) - 7)]

    numbers = {int.from_bytes(one, sys.byteorder) for one in places}
    assert set(reading.windows) == numbers
    assert len(reading.windows) == len(places)


def test_an_address_in_which_something_was_masked_is_not_kept():
    redact.url("https://a.example/x?token=not-known-to-anybody")
    redact.url("https://a.example/a-given-secret-of-a-call", "a-given-secret-of-a-call")

    assert redact._addresses == {}


def test_no_secret_is_spelled_out_for_a_text_that_holds_none():
    address = "https://api.example.com/elements/api-v2/ping"
    tokens = [f"{number:04}+/token-of-an-instance==" for number in range(100)]
    with patch.object(spellings, "spellings") as spelled:
        redact.learn(*tokens)
        assert redact.url(address, *tokens) == address
        assert redact.text("A sentence of a log.", *tokens) == "A sentence of a log."

    spelled.assert_not_called()


@pytest.mark.parametrize(
    "frame",
    [
        "a" * 90 + "{:08}",
        "a" * 40 + "{:08}" + "b" * 40,
        "element-inst-{:08}-b7Rk2Wq9",
        "{:08}" + "a" * 90,  # what stands before may have taken the number along
    ],
)
def test_tokens_that_differ_in_a_number_only_are_told_apart(frame):
    tokens = [frame.format(number) for number in range(3000)]
    remembered = suspects.Remembered()
    for token in tokens:
        remembered.add(token)

    alike = max(len(found) for found in remembered._by_window.values())
    assert alike <= 100 or frame.startswith("{")
    redact.learn(*tokens)
    assert redact.text(f"<{tokens[1234]}>") == f"<{redact.MASK}>"

"""What a server said, and what can be made of its body."""

import pytest

from ceadmin.lib import http


def answer(body: bytes) -> http.Answer:
    """Return an answer with this body."""
    return http.Answer(200, body=body)


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b'{"a": [1, null]}', {"a": [1, None]}),
        (b" [] \n", []),
        (b'"text"', "text"),
        (b"0", 0),
        (b"\xef\xbb\xbf{}", {}),
        ('{"é": "☃"}'.encode(), {"é": "☃"}),
    ],
)
def test_json_is_read(body, value):
    assert answer(body).json() == value


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "empty"),
        (b" \r\n", "empty"),
        (b"<!DOCTYPE html><html></html>", "html"),
        (b"  <html>", "html"),
        (b'{"a": 1', "truncated"),
        (b'[{"a": 1},', "truncated"),
        (b'{"a": "\xff"}', "encoding"),
        (b'{"a": "\x00"}', "nul"),
        (b"\x00", "nul"),
        (b"OK", "json"),
        (b"[" * 100_000, "truncated"),
    ],
)
def test_what_is_not_json_is_told_apart(body, code):
    with pytest.raises(http.BadBody) as caught:
        answer(body).json()

    assert caught.value.code == code
    assert str(caught.value) == f"the body is not JSON ({code})"


def test_text_replaces_what_is_not_utf_8():
    assert answer(b"ok \xff\x00").text == "ok \ufffd\x00"


def test_headers_are_found_in_any_case_and_joined_where_repeated():
    headers = http.AnswerHeaders([("Retry-After", "5"), ("Via", "a"), ("via", "b")])

    assert headers["retry-after"] == headers["RETRY-AFTER"] == "5"
    assert headers["Via"] == "a, b"
    assert headers.get("missing") is None
    assert dict(headers) == {"Retry-After": "5", "via": "a, b"}
    assert len(headers) == 2

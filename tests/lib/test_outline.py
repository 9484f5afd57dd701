"""The shape of a body: its keys and no value."""

import pytest

from ceadmin.lib.outline import outline


@pytest.mark.parametrize(
    ("body", "shape"),
    [
        (b"", ""),
        (
            b'{"id": 7, "name": "Acme", "disabled": false}',
            "{id: …, name: …, disabled: false}",
        ),
        (b'{"a": {"b": {"c": {"d": 1}}}, "e": null}', "{a: {b: {c: {…}}}, e: null}"),
        (b'[{"id": 1}, {"id": 2}]', "[{id: …}, …]"),
        (b"[]", "[]"),
        (b'"a token"', "…"),
        (b"access_token=abc", "(16 bytes)"),
        (b"\xff\xfe", "(2 bytes)"),
        (b"[" * 100_000, "(100000 bytes)"),
    ],
)
def test_keys_stay_and_values_go(body, shape):
    assert outline(body) == shape


@pytest.mark.parametrize("key", ["0f3a" * 8, "ya29.A0ARrdaM7", "two\\nlines", "x" * 41])
def test_a_key_that_is_no_word_goes_too(key):
    assert outline(f'{{"{key}": 1}}') == "{…: …}"


def test_a_long_shape_is_cut_and_says_so():
    shape = outline(str({f"key_{n}": n for n in range(90)}).replace("'", '"'), 50)

    assert len(shape) == 50
    assert shape.endswith(" …")

"""Fingerprints outlive their keys: a token is found under any key that is loaded."""

import pytest

from ceadmin.lib.sealed import fingerprint, matches, traces
from tests.lib.sealed_rows import KEY_1, KEY_2

ONE, BOTH, NEW = f"f1:{KEY_1}", f"f2:{KEY_2},f1:{KEY_1}", f"f2:{KEY_2}"


@pytest.fixture(autouse=True)
def one_key(settings):
    settings.FINGERPRINT_KEYS = ONE


def test_a_token_has_a_trace_under_every_key_the_newest_first(settings):
    old = fingerprint("token-1")
    settings.FINGERPRINT_KEYS = BOTH

    found = traces("token-1")

    assert found == [fingerprint("token-1"), old]
    assert all(matches("token-1", trace) for trace in found)
    assert traces("") == []

"""Signatures: made with the newest private key, checked with public ones only."""

import base64

import pytest
from django.core.exceptions import ImproperlyConfigured

from ceadmin.lib.signing import (
    BadKeys,
    PublicKeys,
    own_public_keys,
    read_public_keys,
    sign,
)

KEY_1 = base64.b64encode(b"1" * 32).decode()
KEY_2 = base64.b64encode(b"2" * 32).decode()


@pytest.fixture(autouse=True)
def one_key(settings) -> None:
    """Sign with k1."""
    settings.CHECKPOINT_KEYS = f"k1:{KEY_1}"


def test_who_has_the_public_key_can_check():
    key_id, signature = sign(b"five events")
    public = read_public_keys(str(own_public_keys()))

    assert key_id == "k1"
    assert public.hold(key_id, b"five events", signature)
    assert not public.hold(key_id, b"six events", signature)


def test_a_public_key_is_not_the_private_one():
    assert KEY_1 not in str(own_public_keys())


def test_the_newest_key_signs_and_older_ones_still_check(settings):
    old = sign(b"x")
    settings.CHECKPOINT_KEYS = f"k2:{KEY_2},k1:{KEY_1}"
    new = sign(b"x")

    assert (old[0], new[0]) == ("k1", "k2")
    assert all(own_public_keys().hold(one, b"x", made) for one, made in (old, new))


def test_a_key_of_the_same_name_does_not_do(settings):
    _, signature = sign(b"x")
    settings.CHECKPOINT_KEYS = f"k1:{KEY_2}"

    assert not own_public_keys().hold("k1", b"x", signature)


@pytest.mark.parametrize("signature", ["", "zz", "00" * 64, "é"])
def test_what_is_no_signature_does_not_hold(signature):
    assert not own_public_keys().hold("k1", b"x", signature)


def test_an_unknown_key_holds_nothing():
    key_id, signature = sign(b"x")

    assert not PublicKeys({}).hold(key_id, b"x", signature)
    assert key_id not in PublicKeys({})


@pytest.mark.parametrize(
    "text", ["", " , ", "k1", "k1:short", f"{KEY_1}", f"k1:{KEY_1},k1:{KEY_2}"]
)
def test_what_is_no_list_of_public_keys_is_refused(text):
    with pytest.raises(BadKeys):
        read_public_keys(text)


def test_public_keys_may_stand_on_lines_of_their_own():
    keys = read_public_keys(f"k2:{KEY_2}\n\nk1:{KEY_1}\n")

    assert list(keys.keys) == ["k2", "k1"]


def test_without_keys_nothing_is_signed(settings):
    settings.CHECKPOINT_KEYS = ""

    with pytest.raises(ImproperlyConfigured, match="CHECKPOINT_KEYS is missing"):
        sign(b"x")

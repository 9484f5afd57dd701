"""Keys come and go; fingerprints recognise and tell nothing."""

import pytest
from django.core.exceptions import ImproperlyConfigured

from ceadmin.lib.sealed import (
    UnknownKey,
    fingerprint,
    keyring,
    matches,
)
from tests.lib.sealed_rows import KEY_1, KEY_2, PLAIN, again, make, stored

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("field_keys")]


def test_an_unknown_key_is_named(settings):
    organization = make(user_secret=PLAIN)
    settings.FIELD_KEYS = f"k2:{KEY_2}"

    with pytest.raises(UnknownKey, match="'k1' is not loaded"):
        again(organization).user_secret.reveal()

    assert again(organization).user_secret.key_id == "k1"


def test_the_newest_key_seals_and_all_open(settings):
    old = make("Old", user_secret=PLAIN)
    settings.FIELD_KEYS = f"k2:{KEY_2},k1:{KEY_1}"

    new = make("New", user_secret=PLAIN)

    assert stored(new).startswith("v1.k2.")
    assert again(old).user_secret.reveal() == again(new).user_secret.reveal() == PLAIN


@pytest.mark.parametrize(
    "spec",
    ["", "k1", "k1:", "k1:c2hvcnQ=", f"k1:{KEY_1},k1:{KEY_2}", f"k 1:{KEY_1}", "k1:é"],
)
def test_bad_keys_are_refused_without_being_shown(settings, spec):
    settings.FIELD_KEYS = spec

    with pytest.raises(ImproperlyConfigured) as refusal:
        keyring()

    assert KEY_1 not in str(refusal.value)


def test_a_fingerprint_recognises_a_token_and_tells_nothing():
    trace = fingerprint("token-1")

    assert trace == fingerprint("token-1") != fingerprint("token-2")
    assert trace.startswith("f1:")
    assert len(trace) == len("f1:") + 32
    assert fingerprint("") == ""
    assert fingerprint("\ud800 odd")


def test_an_old_fingerprint_still_matches_under_new_keys(settings):
    trace = fingerprint("token-1")
    settings.FINGERPRINT_KEYS = f"f2:{KEY_2},f1:{KEY_1}"

    assert fingerprint("token-1") != trace
    assert matches("token-1", trace)
    assert not matches("token-2", trace)


def test_a_fingerprint_under_a_lost_key_matches_nothing(settings):
    trace = fingerprint("token-1")
    settings.FINGERPRINT_KEYS = f"f2:{KEY_2}"

    assert not matches("token-1", trace)
    assert not matches("", "")

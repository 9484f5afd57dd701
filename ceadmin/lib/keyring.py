"""The keys that seal fields and make fingerprints, as the settings name them.

FIELD_KEYS, FINGERPRINT_KEYS and CHECKPOINT_KEYS read `k2:base64,k1:base64`: newest first,
32 bytes each. They stand apart from SECRET_KEY, so that changing one never touches the other.
"""

import base64
import binascii
import re
from dataclasses import dataclass
from functools import lru_cache

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext, gettext_noop

KEY_BYTES = 32
KEY_ID = re.compile(r"[A-Za-z0-9_-]{1,32}")


class SealError(Exception):
    """A value could not be sealed or opened; the text never shows it.

    What is logged and stored is English; pages show `sentence`.
    """

    def __init__(self, text: str, **names: str) -> None:
        super().__init__(text % names)
        self._text, self._names = text, names

    @property
    def sentence(self) -> str:
        """The same in the reader's language."""
        return gettext(self._text) % self._names


class UnknownKey(SealError):
    """A sealed value names a key that is not loaded."""


@dataclass(frozen=True, slots=True, repr=False)
class Keyring:
    """Keys by id, newest first: the first one seals, all of them open."""

    keys: dict[str, bytes]

    @property
    def newest(self) -> str:
        """The id of the key that seals."""
        return next(iter(self.keys))

    def key(self, key_id: str) -> bytes:
        """Return a key, or raise `UnknownKey`."""
        try:
            return self.keys[key_id]
        except KeyError:
            text = gettext_noop(
                "The key '%(key)s' is not loaded: add it to the keys in the settings."
            )
            raise UnknownKey(text, key=key_id) from None


def keyring() -> Keyring:
    """Return the keys of FIELD_KEYS."""
    return _parse("FIELD_KEYS", settings.FIELD_KEYS)


def fingerprint_keyring() -> Keyring:
    """Return the keys of FINGERPRINT_KEYS."""
    return _parse("FINGERPRINT_KEYS", settings.FINGERPRINT_KEYS)


def checkpoint_keyring() -> Keyring:
    """Return the keys of CHECKPOINT_KEYS."""
    return _parse("CHECKPOINT_KEYS", settings.CHECKPOINT_KEYS)


@lru_cache(maxsize=16)
def _parse(name: str, spec: str) -> Keyring:
    """Read `k2:base64,k1:base64`; remembered by its text, so settings may change."""
    keys: dict[str, bytes] = {}
    for position, entry in enumerate(filter(None, spec.split(",")), start=1):
        key_id, _, encoded = entry.strip().partition(":")
        key = _decoded(encoded)
        if not KEY_ID.fullmatch(key_id) or len(key) != KEY_BYTES or key_id in keys:
            raise ImproperlyConfigured(
                f"Entry {position} of {name} is not a new ID:KEY with 32 bytes in base64."
            )
        keys[key_id] = key
    if not keys:
        raise ImproperlyConfigured(f"{name} is missing.")
    return Keyring(keys)


def _decoded(encoded: str) -> bytes:
    try:
        return base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        return b""

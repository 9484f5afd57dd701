"""Signatures (Ed25519) of what is kept or shown outside: who has only the public key can check them.

The private keys stand in CHECKPOINT_KEYS, newest first: the first one signs. A public
key is written `id:base64`, several separated by commas.
"""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)
from django.utils.translation import gettext

from ceadmin.lib.keyring import KEY_BYTES, KEY_ID, checkpoint_keyring

__all__ = ["BadKeys", "PublicKeys", "own_public_keys", "read_public_keys", "sign"]


class BadKeys(ValueError):
    """What was given is no list of public keys."""


@dataclass(frozen=True, slots=True)
class PublicKeys:
    """Public keys by id."""

    keys: Mapping[str, bytes]

    def __contains__(self, key_id: str) -> bool:
        """Tell whether a key is known."""
        return key_id in self.keys

    def __str__(self) -> str:
        """Write them as `read_public_keys` reads them."""
        parts = (f"{one}:{_encoded(key)}" for one, key in self.keys.items())
        return ",".join(parts)

    def hold(self, key_id: str, message: bytes, signature: str) -> bool:
        """Tell whether a signature is of this message, by this key."""
        key = self.keys.get(key_id)
        if key is None:
            return False
        try:
            Ed25519PublicKey.from_public_bytes(key).verify(
                bytes.fromhex(signature), message
            )
        except (InvalidSignature, ValueError):
            return False
        return True


def sign(message: bytes) -> tuple[str, str]:
    """Return the id of the newest key and its signature in hexadecimal digits."""
    ring = checkpoint_keyring()
    key = Ed25519PrivateKey.from_private_bytes(ring.key(ring.newest))
    return ring.newest, key.sign(message).hex()


def own_public_keys() -> PublicKeys:
    """Return the public keys of CHECKPOINT_KEYS, newest first."""
    return _public(tuple(checkpoint_keyring().keys.items()))


@lru_cache(maxsize=4)
def _public(private: tuple[tuple[str, bytes], ...]) -> PublicKeys:
    return PublicKeys(
        {
            one: Ed25519PrivateKey.from_private_bytes(key)
            .public_key()
            .public_bytes_raw()
            for one, key in private
        }
    )


def read_public_keys(text: str) -> PublicKeys:
    """Read `k2:BASE64,k1:BASE64`, on one line or on several; raise `BadKeys`."""
    keys: dict[str, bytes] = {}
    for entry in filter(None, text.replace(",", "\n").split()):
        key_id, _, encoded = entry.partition(":")
        key = _decoded(encoded)
        if not KEY_ID.fullmatch(key_id) or len(key) != KEY_BYTES or key_id in keys:
            raise BadKeys(
                gettext("A public key reads ID:KEY, with 32 bytes in base64.")
            )
        keys[key_id] = key
    if not keys:
        raise BadKeys(gettext("There is no public key."))
    return PublicKeys(keys)


def _encoded(key: bytes) -> str:
    return base64.b64encode(key).decode()


def _decoded(encoded: str) -> bytes:
    try:
        return base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        return b""

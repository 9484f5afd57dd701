"""Keep secrets sealed in the database, each bound to its column and its row.

A `SealedField` stores `v1.<key id>.<base64 of nonce and ciphertext>`: AES-256-GCM under
the newest key of FIELD_KEYS. The associated data is the field's fixed label and the
row's uid, never a table or column name, so that renaming either kills no data while a
value copied to another row or column does not open.

Reading the attribute gives a `Secret`, which opens only when somebody calls `reveal()`.
What came out of the database is a `Sealed`; any other string, whatever it looks like, is
plain text and is sealed when it is assigned. A plain string on its way to SQL raises.
"""

import base64
import hmac
import os
import re
import uuid
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NoReturn

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.core import checks
from django.core.exceptions import FieldError
from django.db import models
from django.db.models.lookups import Exact
from django.db.models.query_utils import DeferredAttribute
from django.utils.translation import gettext_noop

from ceadmin.lib.keyring import (
    Keyring,
    SealError,
    UnknownKey,
    fingerprint_keyring,
    keyring,
)

__all__ = [
    "Keyring",
    "SealError",
    "Sealed",
    "SealedField",
    "Secret",
    "UnknownKey",
    "fingerprint",
    "keyring",
    "matches",
    "seal",
    "traces",
    "unseal",
]

NONCE_BYTES = 12
FINGERPRINT_DIGITS = 32

_LABEL = re.compile(r"[a-z0-9_]+\.[a-z0-9_]+")
_SEALED = re.compile(r"v1\.([A-Za-z0-9_-]{1,32})\.([A-Za-z0-9_-]{38,})")


class Sealed(str):
    """Sealed text: the mark that tells it from a plain string of the same letters."""

    __slots__ = ()

    @property
    def key_id(self) -> str:
        """The id of the key that sealed it, or '' when it is empty or malformed."""
        match = _SEALED.fullmatch(self)
        return match[1] if match else ""


# Sealing and opening


def seal(label: str, row_uid: uuid.UUID | str, plain: str) -> Sealed:
    """Seal a plain text for one column label and one row."""
    if not plain:
        return Sealed()
    ring = keyring()
    nonce = os.urandom(NONCE_BYTES)
    cipher = AESGCM(ring.key(ring.newest))
    # Lone surrogates may stand in what a remote side sent: they survive the round trip.
    text = plain.encode("utf-8", "surrogatepass")
    body = nonce + cipher.encrypt(nonce, text, _bound(ring.newest, label, row_uid))
    return Sealed(f"v1.{ring.newest}.{_written(body)}")


def unseal(label: str, row_uid: uuid.UUID | str, sealed: str) -> str:
    """Open what `seal` made for the same label and row; raise `SealError` otherwise."""
    if not sealed:
        return ""
    match = _SEALED.fullmatch(sealed)
    if not match:
        raise SealError(
            gettext_noop("The value of %(label)s is not sealed."), label=label
        )
    key_id, encoded = match.groups()
    cipher = AESGCM(keyring().key(key_id))
    try:
        body = _read(encoded)
        nonce, text = body[:NONCE_BYTES], body[NONCE_BYTES:]
        plain = cipher.decrypt(nonce, text, _bound(key_id, label, row_uid))
    except (InvalidTag, ValueError):
        problem = gettext_noop(
            "The value of %(label)s does not open: it was altered, or belongs to "
            "another row or column."
        )
        raise SealError(problem, label=label) from None
    return plain.decode("utf-8", "surrogatepass")


def _written(body: bytes) -> str:
    return base64.urlsafe_b64encode(body).decode().rstrip("=")


def _read(encoded: str) -> bytes:
    """Decode what `_written` wrote; another spelling of the same bytes is a ValueError.

    The last letter may carry bits that mean nothing (RFC 4648 §3.5): they must be zero, or an
    altered value would open.
    """
    body = base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4))
    if _written(body) != encoded:
        raise ValueError
    return body


def _bound(key_id: str, label: str, row_uid: uuid.UUID | str) -> bytes:
    if not _is_label(label):
        text = gettext_noop("'%(label)s' is no label of a sealed field.")
        raise SealError(text, label=label)
    try:
        row = row_uid if isinstance(row_uid, uuid.UUID) else uuid.UUID(str(row_uid))
    except ValueError:
        text = gettext_noop("%(label)s needs the uid of its row first.")
        raise SealError(text, label=label) from None
    return f"ceadmin|v1|{key_id}|{label}|{row}".encode()


@lru_cache(maxsize=64)
def _is_label(text: str) -> bool:
    return bool(_LABEL.fullmatch(text))


# Fingerprints


def fingerprint(token: str) -> str:
    """Return the only trace of a token that may be stored: `<key id>:<32 digits>`."""
    if not token:
        return ""
    ring = fingerprint_keyring()
    return _fingerprint(ring, ring.newest, token)


def fingerprints(text: str) -> list[str]:
    """Return the fingerprints that a text has or had: one under every key loaded."""
    ring = fingerprint_keyring()
    return [_fingerprint(ring, key_id, text) for key_id in ring.keys] if text else []


def matches(token: str, trace: str) -> bool:
    """Say whether a token has this fingerprint, under whichever key it was taken."""
    ring = fingerprint_keyring()
    key_id = trace.partition(":")[0]
    if not token or key_id not in ring.keys:
        return False
    return hmac.compare_digest(_fingerprint(ring, key_id, token), trace)


def traces(token: str) -> list[str]:
    """Return a token's fingerprints under all loaded keys, the newest first.

    What was written once and never again, the audit above all, is found by any of them.
    """
    ring = fingerprint_keyring()
    return [_fingerprint(ring, key_id, token) for key_id in ring.keys] if token else []


def _fingerprint(ring: Keyring, key_id: str, token: str) -> str:
    data = token.encode("utf-8", "surrogatepass")
    digest = hmac.digest(ring.key(key_id), data, "sha256").hex()
    return f"{key_id}:{digest[:FINGERPRINT_DIGITS]}"


# The field


if TYPE_CHECKING:
    _Exact = Exact[Any]
    _TextField = models.TextField["str | Secret | None", "Secret"]
else:
    _Exact = Exact
    _TextField = models.TextField


class Secret:
    """What a sealed attribute gives: true when there is one, opened by `reveal()`.

    It refuses every road on which a value leaves by accident: `str()`, formatting,
    pickle, JSON. Its `repr` names the key only.
    """

    __slots__ = ("_field", "_instance", "sealed")

    def __init__(
        self, field: "SealedField", instance: models.Model, sealed: Sealed
    ) -> None:
        self._field = field
        self._instance = instance
        self.sealed = sealed

    def __bool__(self) -> bool:
        return bool(self.sealed)

    def __repr__(self) -> str:
        return f"<Secret {self.key_id if self.sealed else 'empty'}>"

    def __str__(self) -> NoReturn:
        raise TypeError("A Secret is not text: call reveal() where it is sent.")

    def __format__(self, spec: str) -> NoReturn:
        raise TypeError("A Secret is not text: call reveal() where it is sent.")

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        raise TypeError("A Secret is neither pickled nor copied.")

    @property
    def key_id(self) -> str:
        """The id of the key that sealed it, or '' when there is no secret."""
        return self.sealed.key_id

    def reveal(self) -> str:
        """Open it; raise `SealError` when it belongs elsewhere or its key is missing."""
        return unseal(
            self._field.label, self._field.row_of(self._instance), self.sealed
        )

    def sealed_for(self, field: "SealedField", instance: models.Model) -> Sealed:
        """Return the sealed text for an attribute: as it is at home, else sealed anew."""
        if field.label == self._field.label and self._same_row(instance):
            return self.sealed
        return seal(field.label, field.row_of(instance), self.reveal())

    def _same_row(self, instance: models.Model) -> bool:
        if instance is self._instance:
            return True
        # Asked first: a deferred uid would have to be fetched (`refresh_from_db`).
        if instance.pk is not None and type(instance) is type(self._instance):
            return bool(instance.pk == self._instance.pk)
        return False


class SealedAttribute(DeferredAttribute):
    """Seals what is assigned and hands out a `Secret`; fetches a deferred column."""

    field: "SealedField"

    def __get__(self, instance: Any, cls: Any = None) -> Any:
        if instance is None:
            return self
        if self.field.attname not in instance.__dict__:
            instance.refresh_from_db(fields=[self.field.attname])
        return Secret(self.field, instance, instance.__dict__[self.field.attname])

    def __set__(self, instance: Any, value: Any) -> None:
        instance.__dict__[self.field.attname] = self._sealed(instance, value)

    def _sealed(self, instance: models.Model, value: Any) -> Sealed:
        if isinstance(value, Sealed):
            return value
        if isinstance(value, Secret):
            return value.sealed_for(self.field, instance)
        if value is None or value == "":
            return Sealed()
        if not isinstance(value, str):
            text = gettext_noop("%(label)s takes a string.")
            raise SealError(text, label=self.field.label)
        return seal(self.field.label, self.field.row_of(instance), value)


class IsEmpty(_Exact):
    """The one comparison that makes sense: whether there is a secret at all."""

    def get_prep_lookup(self) -> Any:
        """Refuse every right-hand side but the empty string."""
        if not isinstance(self.rhs, str) or self.rhs:
            raise FieldError("A sealed field can be compared with '' only.")
        return ""


class SealedField(_TextField):
    """A text column whose values are sealed for `label` and the uid of their row.

    `label` stays for ever, whatever becomes of model and column. `row` names the field
    that holds the row's UUID; it must be declared before this one.
    """

    descriptor_class = SealedAttribute

    def __init__(self, label: str, row: str = "uid", **options: Any) -> None:
        self.label = label
        self.row = row
        options |= {"blank": True, "default": "", "editable": False}
        super().__init__(**options)

    def deconstruct(self) -> Any:
        """Give migrations what is needed to build the field again."""
        name, path, args, options = super().deconstruct()
        for implied in ("blank", "default", "editable"):
            options.pop(implied)
        options["label"] = self.label
        if self.row != "uid":
            options["row"] = self.row
        return name, path, args, options

    def check(self, **kwargs: Any) -> list[checks.CheckMessage]:
        """Complain about a bad label and about a uid that is set too late."""
        return [*super().check(**kwargs), *self._check_label(), *self._check_row()]

    def _check_label(self) -> list[checks.CheckMessage]:
        if _LABEL.fullmatch(self.label):
            return []
        return [
            checks.Error(
                "Bad label.",
                hint="Write it as 'thing.column', in small letters, once and for ever.",
                obj=self,
                id="ceadmin.E020",
            )
        ]

    def _check_row(self) -> list[checks.CheckMessage]:
        names = [field.name for field in self.model._meta.concrete_fields]
        if self.row in names[: names.index(self.name)]:
            return []
        return [
            checks.Error(
                "No row uid.",
                hint=f"Declare {self.row!r}, a UUIDField, before this field.",
                obj=self,
                id="ceadmin.E021",
            )
        ]

    def row_of(self, instance: models.Model) -> str:
        """Return the uid of the row an instance stands for."""
        return str(getattr(instance, self.row))

    def pre_save(self, model_instance: models.Model, add: bool) -> Sealed:
        """Give the sealed text to be written."""
        secret: Secret = getattr(model_instance, self.attname)
        return secret.sealed

    def from_db_value(self, value: str | None, *_: Any) -> Sealed | None:
        """Mark what the database gave."""
        return value if value is None else Sealed(value)

    def to_python(self, value: Any) -> Any:
        """Read a fixture: text that a dump wrote is sealed, anything else is plain."""
        if isinstance(value, str) and _SEALED.fullmatch(value):
            return Sealed(value)
        return value

    def get_prep_value(self, value: Any) -> Any:
        """Leave the value as it is: `get_db_prep_value` judges it."""
        return value

    def get_db_prep_value(
        self, value: Any, connection: Any, prepared: bool = False
    ) -> str | None:
        """Let sealed text through to SQL and nothing else."""
        if isinstance(value, Secret):
            return str.__str__(value.sealed)
        if isinstance(value, Sealed):
            return str.__str__(value)
        if value is None:
            return None
        if value == "":
            return ""
        text = gettext_noop(
            "A plain value of %(label)s was about to be stored: assign it to the "
            "attribute, or give update() what seal() makes."
        )
        raise SealError(text, label=self.label)

    def value_to_string(self, obj: models.Model) -> str:
        """Give a dump the sealed text."""
        return str.__str__(self.pre_save(obj, add=False))

    def get_lookup(self, lookup_name: str) -> Any:
        """Offer `isnull` and a comparison with '', nothing that could guess."""
        if lookup_name == "exact":
            return IsEmpty
        return super().get_lookup(lookup_name) if lookup_name == "isnull" else None

    def get_transform(self, lookup_name: str) -> None:
        """Offer none."""

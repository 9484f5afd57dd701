"""Say what is wrong with the data for these settings: asked at a start, and by `/readyz`.

A database that cannot be asked is no reason to stay away: it may come later, and `/readyz`
says so until then.
"""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any

from django.core.checks import CheckMessage, Error
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, connection

from ceadmin.audit import triggers
from ceadmin.lib.keyring import keyring
from ceadmin.lib.sealed_columns import unknown_keys


def check_data(databases: Sequence[str] | None = None, **_: Any) -> list[CheckMessage]:
    """Give Django's `check --database default` what is wrong with the data."""
    return list(data_problems()) if databases else []


def data_problems() -> Iterator[CheckMessage]:
    """Yield what is wrong with the data; nothing where the database does not answer."""
    # Keys that cannot be read are told of by `ceadmin.checks`.
    with suppress(DatabaseError, ImproperlyConfigured):
        yield from _unknown_keys()


def audit_problems() -> Iterator[CheckMessage]:
    """Yield that the audit can be changed; nothing where there is none yet.

    Asked at a start, not by `check`: that would keep `migrate` from putting it right.
    """
    with suppress(DatabaseError):
        tables = connection.introspection.table_names()
        if triggers.TABLE in tables and not triggers.triggers_present():
            yield Error(
                "The triggers that keep the audit from being changed are missing, or "
                "of another version.",
                hint="`manage.py migrate` puts them back. If no new version was "
                "installed, somebody took them away: `manage.py verify_audit`, see "
                "docs/audit.md.",
                id="ceadmin.E015",
            )


def _unknown_keys() -> Iterator[CheckMessage]:
    for key_id in sorted(unknown_keys(set(keyring().keys))):
        yield Error(
            f"Secrets in the database are sealed with the key “{key_id}”, and FIELD_KEYS "
            "does not hold it.",
            hint=f"Put {key_id}:… back into FIELD_KEYS, behind the newest key; `manage.py "
            f"rotate_keys` makes it dispensable. If it is lost: `manage.py rotate_keys "
            f"--forget {key_id}`, see docs/keys.md.",
            id="ceadmin.E014",
        )

"""Let tests that empty the database do so, though the audit refuses to be emptied.

A test with `transactional_db` or `live_server` ends with a flush of every table, which
the append-only triggers stop. `flush_past_the_audit` lifts them for that flush only and
puts them back, whatever happens; `lifted` does the same for a forger's own test.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db import connection
from django.test import TransactionTestCase

from ceadmin.audit import triggers
from ceadmin.audit.models import Event, Head


@contextmanager
def lifted() -> Iterator[None]:
    """Take the triggers away for a moment, as a database administrator could."""
    triggers.remove(connection)
    try:
        yield
    finally:
        triggers.install(connection)


def forge(sql: str, *values: object) -> None:
    """Do what a database administrator could."""
    with lifted(), connection.cursor() as cursor:
        cursor.execute(sql, values)


def rewound(chain: str, sequence: int) -> None:
    """Make a chain what it was at an earlier event, as a restored backup does."""
    forge("DELETE FROM audit_event WHERE chain = %s AND sequence > %s", chain, sequence)
    last = Event.objects.get(chain=chain, sequence=sequence)
    Head.objects.filter(chain=chain).update(sequence=sequence, hash=last.hash)


@pytest.fixture(scope="session", autouse=True)
def flush_past_the_audit() -> Iterator[None]:
    """Lift the triggers while Django empties the database behind a test."""
    flush = TransactionTestCase._fixture_teardown

    def flush_lifted(test: TransactionTestCase) -> None:
        with lifted():
            flush(test)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", flush_lifted)
        yield

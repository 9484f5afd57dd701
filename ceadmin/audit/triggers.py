"""Make the database itself refuse to change or remove events.

SQLite drops the triggers of a table whenever a migration remakes it, so they are put
back after every `migrate`. They FAIL and do not ABORT, which takes a copy of each page
that an insert changes and doubles its cost; the event that was refused is not there
either way. `INSERT OR REPLACE` removes a row without a delete trigger,
hence the guard on insert; on PostgreSQL `TRUNCATE` needs a trigger of its own, and
`ENABLE ALWAYS` keeps them firing under `session_replication_role`.
"""

from typing import Any

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.utils import DEFAULT_DB_ALIAS

TABLE = "audit_event"
REFUSAL = "audit events are append-only"

SQLITE = {
    "audit_event_no_update": f"BEFORE UPDATE ON {TABLE}",
    "audit_event_no_delete": f"BEFORE DELETE ON {TABLE}",
    "audit_event_no_replace": (
        "BEFORE INSERT ON audit_event WHEN EXISTS (SELECT 1 FROM audit_event WHERE "
        "id = NEW.id OR hash = NEW.hash "
        "OR (chain = NEW.chain AND sequence = NEW.sequence))"
    ),
}
POSTGRESQL = {
    "audit_event_no_change": f"BEFORE UPDATE OR DELETE ON {TABLE} FOR EACH ROW",
    "audit_event_no_truncate": f"BEFORE TRUNCATE ON {TABLE} FOR EACH STATEMENT",
}
POSTGRESQL_FUNCTION = f"""
CREATE OR REPLACE FUNCTION audit_event_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '{REFUSAL}' USING ERRCODE = 'integrity_constraint_violation';
END $$
"""


def install(connection: BaseDatabaseWrapper) -> None:
    """Put the triggers in place, whatever was there before."""
    if connection.vendor == "sqlite":
        _run(connection, _sqlite_statements())
    else:
        _run(connection, _postgresql_statements())


def remove(connection: BaseDatabaseWrapper) -> None:
    """Take the triggers away: for migrating backwards."""
    table = f" ON {TABLE}" if connection.vendor == "postgresql" else ""
    _run(
        connection,
        [f"DROP TRIGGER IF EXISTS {name}{table}" for name in _expected(connection)],
    )


def present(connection: BaseDatabaseWrapper) -> bool:
    """Say whether every trigger is there and switched on."""
    query = (
        "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = %s"
    )
    if connection.vendor == "postgresql":
        query = (
            "SELECT tgname, '' FROM pg_trigger WHERE tgenabled = 'A' "
            "AND tgrelid = to_regclass(%s)"
        )
    with connection.cursor() as cursor:
        cursor.execute(query, [TABLE])
        found = dict(cursor.fetchall())
    expected = _expected(connection)
    return all(
        name in found and (not found[name] or found[name] == _sqlite(name))
        for name in expected
    )


def triggers_present(using: str = DEFAULT_DB_ALIAS) -> bool:
    """Say whether this database refuses to change events."""
    return present(connections[using])


def install_after_migrate(*, using: str, **_: Any) -> None:
    """Put the triggers back: a remade SQLite table has lost them."""
    connection = connections[using]
    if TABLE in connection.introspection.table_names():
        install(connection)


def _expected(connection: BaseDatabaseWrapper) -> dict[str, str]:
    return SQLITE if connection.vendor == "sqlite" else POSTGRESQL


def _sqlite(name: str) -> str:
    return (
        f"CREATE TRIGGER {name} {SQLITE[name]} "
        f"BEGIN SELECT RAISE(FAIL, '{REFUSAL}'); END"
    )


def _sqlite_statements() -> list[str]:
    statements = []
    for name in SQLITE:
        statements += [f"DROP TRIGGER IF EXISTS {name}", _sqlite(name)]
    return statements


def _postgresql_statements() -> list[str]:
    statements = [POSTGRESQL_FUNCTION]
    for name, event in POSTGRESQL.items():
        statements += [
            f"DROP TRIGGER IF EXISTS {name} ON {TABLE}",
            f"CREATE TRIGGER {name} {event} EXECUTE FUNCTION audit_event_refuse()",
            f"ALTER TABLE {TABLE} ENABLE ALWAYS TRIGGER {name}",
        ]
    return statements


def _run(connection: BaseDatabaseWrapper, statements: list[str]) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)

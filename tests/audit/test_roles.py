"""The roles of docs/audit.md, made from its own SQL: the application only adds events."""

import os
import re
import subprocess
import sys
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

import psycopg
import pytest
from psycopg import errors

from tests.house.sources import ROOT

PAGE = (ROOT / "docs" / "audit.md").read_text()

pytestmark = pytest.mark.django_db


def block(name: str) -> str:
    """Return one of the document's blocks of SQL."""
    (found,) = re.findall(rf"```sql\n-- {name}\n(.*?)```", PAGE, flags=re.DOTALL)
    return found


@dataclass
class Server:
    """A database of its own with the two roles, named so that nobody else has them."""

    host: str
    root: str
    mark: str

    def sql(self, text: str) -> str:
        """Return the document's SQL with the names of this test."""
        return re.sub(r"\bceadmin\b|\bceadmin_(?=owner|app)", self._named, text)

    def _named(self, found: re.Match[str]) -> str:
        return self.mark if found[0] == "ceadmin" else f"{self.mark}_"

    def as_role(self, role: str, database: str = "") -> psycopg.Connection:
        """Return a connection of a role."""
        url = f"postgres://{role}:secret@{self.host}/{database or self.mark}"
        return psycopg.connect(url, autocommit=True)

    def manage(self, role: str, *words: str, typed: str = "") -> str:
        """Run a command as a role; return what it said."""
        url = f"postgres://{self.mark}_{role}:secret@{self.host}/{self.mark}"
        done = subprocess.run(
            [sys.executable, "manage.py", *words],
            env={**os.environ, "DATABASE_URL": url},
            cwd=ROOT,
            input=typed,
            text=True,
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@pytest.fixture
def server() -> Iterator[Server]:
    """The roles and a migrated database, from the document."""
    url = os.environ.get("DATABASE_URL", "")
    if not url.startswith("postgres"):
        pytest.skip("SQLite has no roles")
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    made = Server(host, parts.username or "", f"roles_{uuid.uuid4().hex[:8]}")
    root = psycopg.connect(url.rpartition("/")[0] + "/postgres", autocommit=True)
    roles = re.sub(r"PASSWORD '[^']*'", "PASSWORD 'secret'", block("roles"))
    try:
        for statement in filter(str.strip, made.sql(roles).split(";")):
            root.execute(statement)
        made.manage("owner", "migrate", "--verbosity", "0")
        with made.as_role(f"{made.mark}_owner") as owner:
            owner.execute(made.sql(block("grants")))
        yield made
    finally:
        root.execute(f"DROP DATABASE IF EXISTS {made.mark} WITH (FORCE)")
        for role in ("owner", "app"):
            root.execute(f"DROP ROLE IF EXISTS {made.mark}_{role}")
        root.close()


FORBIDDEN = (
    "UPDATE audit_event SET reason = 'forged'",
    "DELETE FROM audit_event",
    "TRUNCATE audit_event",
    "ALTER TABLE audit_event DISABLE TRIGGER ALL",
    "DROP TRIGGER audit_event_no_change ON audit_event",
    "DROP TABLE audit_event CASCADE",
    "ALTER TABLE audit_event OWNER TO CURRENT_USER",
    "CREATE OR REPLACE FUNCTION audit_event_refuse() RETURNS trigger LANGUAGE plpgsql "
    "AS $$ BEGIN RETURN NULL; END $$",
    "SET session_replication_role = 'replica'",
    "DELETE FROM audit_head",
    "DELETE FROM django_migrations",
    "CREATE TABLE own (id int)",
)


def test_the_application_adds_events_and_can_do_nothing_else_with_them(server):
    said = server.manage("app", "first_owner", "root@x.test", typed="horse battery 7\n")
    assert "can sign in" in said

    with server.as_role(f"{server.mark}_app") as app:
        (events,) = app.execute("SELECT count(*) FROM audit_event").fetchone()
        assert events == 1
        owned = "SELECT count(*) FROM pg_tables WHERE tableowner = current_user"
        assert app.execute(owned).fetchone() == (0,)
        for statement in FORBIDDEN:
            with pytest.raises(errors.InsufficientPrivilege):
                app.execute(statement)
    assert "whole" in server.manage("app", "verify_audit")


def test_a_table_that_a_later_migration_makes_is_the_application_s_to_use(server):
    with server.as_role(f"{server.mark}_owner") as owner:
        owner.execute("CREATE TABLE later (id bigserial PRIMARY KEY, name text)")
        with pytest.raises(errors.IntegrityConstraintViolation):
            owner.execute(
                "TRUNCATE audit_event"
            )  # the triggers hold for the owner, too

    with server.as_role(f"{server.mark}_app") as app:
        app.execute("INSERT INTO later (name) VALUES ('x')")
        assert app.execute("SELECT name FROM later").fetchone() == ("x",)

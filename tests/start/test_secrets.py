"""After the whole demo no secret stands anywhere it does not belong."""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from tests.start.browsing import Visitor
from tests.start.leaks import files_of, found_in, secrets_of_the_stand_in, spellings

CANARY = 'c4nary/of+the "tests"=&é'
OPEN = {"emulator.json", "demo.env"}  # the stand-in's own memory, and the keys


@contextmanager
def reader(database: Path) -> Iterator[None]:
    """Read, so that everything written meanwhile stays in the write-ahead log."""
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("BEGIN")
        connection.execute("SELECT count(*) FROM django_migrations").fetchone()
        yield


@pytest.mark.parametrize("spelled", sorted(spellings(CANARY)))
def test_a_planted_secret_is_found_in_each_spelling(spelled):
    texts = {"log": b"before " + spelled + b" after"}

    assert found_in(texts, [CANARY])


def test_nothing_is_found_where_nothing_is():
    assert found_in({"log": b"nothing to see"}, [CANARY]) == []


def test_no_secret_is_in_files_logs_messages_or_pages(started, installation):
    folder = installation.folder / "demo"
    running = started("up", "--demo", "-v", "2")
    running.wait_until_ready()
    with reader(folder / "ceadmin.sqlite3"):
        running.wait_for("Ctrl-C stops everything.", 120)
        written = files_of(folder, but=OPEN)
    secrets = secrets_of_the_stand_in(folder / "emulator.json")
    keys = set(re.findall(r"[A-Za-z0-9+/=_-]{40,}", (folder / "demo.env").read_text()))
    visitor = Visitor(f"http://127.0.0.1:{installation.web}")
    visitor.sign_in(*re.search(r"(sue@\S+)\s+(\S+)", running.text()).groups())

    pages = visitor.walk()
    written |= {
        f"at last {name}": text for name, text in files_of(folder, but=OPEN).items()
    }
    texts = {**written, **pages, "screen": running.text().encode()}

    assert len(secrets) > 150 and len(keys) >= 3 and len(pages) > 30
    assert any(name.endswith("-wal") for name in texts)
    assert any("appendonly" in name for name in texts)
    assert found_in({"memory": (folder / "emulator.json").read_bytes()}, secrets)
    assert found_in(texts, secrets | keys) == []

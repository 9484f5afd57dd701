"""`manage.py up`: one command starts everything, and leaves nothing behind."""

import os
import signal
import socket
import sqlite3

import pytest

from ceadmin.checks import REFUSED
from tests.start.installations import GOOD, ROOT, processes, still_running

WORKER = "--app ceadmin worker"


@pytest.fixture
def up(started):
    """A real installation that runs and is ready."""
    running = started("up", **GOOD)
    running.wait_until_ready()
    running.wait_for("Ctrl-C stops everything.")
    return running


def test_term_stops_everything_in_order(up):
    family = up.family()

    code = up.end(signal.SIGTERM)

    assert code == 0
    assert "Everything is stopped." in up.text()
    assert "first_owner" in up.text()
    assert still_running(family, 0) == []


def test_nothing_is_left_after_the_parent_was_killed(up):
    family = up.family()
    assert len(family) > 8

    up.end(signal.SIGKILL)

    assert still_running(family, 10) == []


def test_the_death_of_one_ends_all(up):
    family = up.family()
    worker = min(pid for pid in family if WORKER in processes()[pid][1])

    os.kill(worker, signal.SIGKILL)

    assert up.process.wait(30) == 1
    assert "worker ended with" in up.text()
    assert still_running(family, 0) == []


def test_a_second_start_on_the_same_folder_says_that_one_runs(up):
    second = up.installation.manage("up", **GOOD)

    assert second.returncode == 1
    assert "already runs" in second.stdout


@pytest.mark.parametrize(
    ("arguments", "port", "setting"),
    [(["up"], "web", "WEB_PORT"), (["up", "--demo"], "emulator", "EMULATOR_PORT")],
)
def test_a_taken_port_is_reported_with_its_setting(
    installation, arguments, port, setting
):
    with socket.create_server(("127.0.0.1", getattr(installation, port))):
        ended = installation.manage(*arguments, **GOOD)

    assert ended.returncode == 1
    assert f"{setting}=" in ended.stdout


def test_the_broker_s_socket_gets_a_short_address_in_a_deep_folder(started, tmp_path):
    deep = tmp_path / ("deep" * 20) / ("deeper" * 15)

    running = started("up", **GOOD, CEADMIN_STATE_DIR=str(deep))
    running.wait_until_ready()

    assert running.end() == 0


def test_up_refuses_the_demo_s_database(installation):
    file = installation.folder / "demo.sqlite3"
    with sqlite3.connect(file) as database:
        database.execute(f"PRAGMA application_id = {0x4345646D}")

    ended = installation.manage("up", **GOOD, DATABASE_URL=f"sqlite:///{file}")

    assert ended.returncode == REFUSED
    assert "ceadmin.E010" in ended.stderr


def test_the_demo_refuses_a_database_that_no_demo_made(installation):
    folder = installation.folder / "demo"
    folder.mkdir()
    with sqlite3.connect(folder / "ceadmin.sqlite3") as database:
        database.execute("CREATE TABLE real_customers (id INTEGER)")

    ended = installation.manage("up", "--demo", "--once")

    assert ended.returncode == REFUSED
    assert "ceadmin.E011" in ended.stderr


def test_once_belongs_to_the_demo(installation):
    ended = installation.manage("up", "--once", **GOOD)

    assert ended.returncode == 1
    assert "--once belongs to --demo" in ended.stderr


def test_the_demo_knows_nothing_of_a_real_installation(started, installation):
    real = installation.folder / "real.sqlite3"
    dotenv = ROOT / ".env"
    before = dotenv.read_bytes() if dotenv.exists() else None

    running = started(
        "up",
        "--demo",
        **GOOD,
        DATABASE_URL=f"sqlite:///{real}",
        REDIS_URL="redis://127.0.0.1:1/0",
        ALLOWED_HOSTS="ceadmin.example.com",
    )
    running.wait_until_ready()
    family = running.family()
    keys = (installation.folder / "demo" / "demo.env").read_text()
    running.end()

    assert still_running(family, 0) == []
    assert not real.exists()
    assert not (installation.folder / "var").exists()
    assert (dotenv.read_bytes() if dotenv.exists() else None) == before
    assert GOOD["FIELD_KEYS"] not in keys
    assert "FIELD_KEYS=demo1:" in keys


def test_the_demo_s_keys_are_made_once_and_readable_by_the_owner_only(installation):
    file = installation.folder / "demo" / "demo.env"
    with socket.create_server(("127.0.0.1", installation.web)):
        installation.manage("up", "--demo", "--once")
        first = file.read_text()
        installation.manage("up", "--demo", "--once")

    assert file.read_text() == first
    assert file.stat().st_mode & 0o077 == 0

"""The demo's own world: settings, keys and database under one folder, mixed with nothing.

`demo.env` is written before each start, with the addresses of that start and the keys of
the first one. `CEADMIN_ENV_FILE=var/demo/demo.env manage.py …` runs any command in it.
"""

import base64
import secrets
from pathlib import Path

from django.conf import settings
from django.core.checks import CheckMessage, Error
from django.db import connection

from ceadmin.checks import DEMO_PREFIX
from ceadmin.environment import Environment

# Written into the demo's database file, where only a demo's file has it ("CEdm").
DEMO_MARK = 0x4345646D
KEYS = ("SECRET_KEY", "FIELD_KEYS", "FINGERPRINT_KEYS", "CHECKPOINT_KEYS")


def write_settings(folder: Path) -> Path:
    """Write and return the demo's settings file; keys are made once and kept."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    file = folder / "demo.env"
    lines = {**_addresses(folder), **_keys(file)}
    draft = file.with_suffix(".new")
    draft.touch(mode=0o600)
    draft.write_text("".join(f"{name}={value}\n" for name, value in lines.items()))
    draft.replace(file)
    return file


def _addresses(folder: Path) -> dict[str, str]:
    return {
        "DEMO": "1",
        "ENVIRONMENT_NAME": "demo",
        "CEADMIN_STATE_DIR": str(folder),
        "WEB_BIND": "127.0.0.1",
        "WEB_PORT": str(settings.WEB_PORT),
        "PUBLIC_URL": f"http://127.0.0.1:{settings.WEB_PORT}",
        "EMULATOR_PORT": str(settings.EMULATOR_PORT),
        "EMULATOR_URL": f"http://127.0.0.1:{settings.EMULATOR_PORT}",
        # Named although they are empty: what the shell says about them is not meant.
        "DATABASE_URL": "",
        "REDIS_URL": "",
        "ALLOWED_HOSTS": "",
        "OUTBOUND_PROXY": "",
    }


def _keys(file: Path) -> dict[str, str]:
    known = Environment({})
    if file.exists():
        known.read_file(file, wins=True)
    return {name: known.text(name) or _new_key(name) for name in KEYS}


def _new_key(name: str) -> str:
    if name == "SECRET_KEY":
        return f"{DEMO_PREFIX}-{secrets.token_urlsafe(48)}"
    return f"{DEMO_PREFIX}1:{base64.b64encode(secrets.token_bytes(32)).decode()}"


def database_problem(*, demo: bool) -> CheckMessage | None:
    """Say if the database belongs to the other world than the one asked for."""
    marked = database_is_marked()
    if demo and not marked and connection.introspection.table_names():
        return Error(
            "The demo would use a database that no demo made.",
            hint=f"Move it away from {settings.STATE_DIR}; the demo makes its own.",
            id="ceadmin.E011",
        )
    if marked and not demo:
        return Error(
            "DATABASE_URL names the database of the demo.",
            hint="Name another one, or start the demo: manage.py up --demo.",
            id="ceadmin.E010",
        )
    return None


def database_is_marked() -> bool:
    """Return whether a demo made this database."""
    if connection.vendor != "sqlite":
        return False
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA application_id")
        return bool(cursor.fetchone()[0] == DEMO_MARK)


def mark_database() -> None:
    """Mark the database as the demo's, before anything is in it."""
    with connection.cursor() as cursor:
        cursor.execute(f"PRAGMA application_id = {DEMO_MARK}")

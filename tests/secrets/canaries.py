"""Secrets that nobody may find again, and all the ways in which they could be written."""

import base64
import json
import re
import subprocess
from collections.abc import Iterable, Iterator
from io import StringIO
from pathlib import Path
from urllib.parse import quote, quote_plus

from django.core.management import call_command
from django.db import connection

from ceadmin.lib import broker
from tests.services import database_url


def canary(name: str) -> str:
    """Return a secret whose spellings all differ."""
    tail = '/+="&' if "token" not in name else "/+=._"
    return f"CANARY-{name}-{tail}7Qx9Zk3v"


def spellings(secret: str) -> dict[str, bytes]:
    """Return how a secret can be written."""
    raw = secret.encode()
    return {
        "raw": raw,
        "percent": quote(secret, safe="").encode(),
        "percent_small": re.sub("%..", _small, quote(secret, safe="")).encode(),
        "form": quote_plus(secret).encode(),
        "twice_percent": quote(quote(secret, safe=""), safe="").encode(),
        "json": json.dumps(secret)[1:-1].encode(),
        "json_in_json": json.dumps(json.dumps(secret)[1:-1])[1:-1].encode(),
        "html": secret.replace("&", "&amp;").replace('"', "&quot;").encode(),
        "hex": raw.hex().encode(),
        "hex_large": raw.hex().upper().encode(),
        "utf_16": secret.encode("utf-16-le"),
        **{f"base64_{shift}": one for shift, one in enumerate(_base64(raw))},
    }


def _small(escape: re.Match[str]) -> str:
    return escape.group().lower()


def echoes(secret: str) -> list[str]:
    """Return how a server could say a secret back."""
    raw = secret.encode()
    basic = base64.b64encode(b"client:" + raw).decode()
    percent = quote(secret, safe="")
    return [secret, percent, raw.hex(), basic, base64.b64encode(raw).decode()]


def _base64(raw: bytes) -> Iterator[bytes]:
    """Yield what is the same in base64 wherever in a text the secret stands."""
    for shift in range(3):
        whole = base64.b64encode(bytes(shift) + raw)
        begin = -(-shift * 8 // 6) + (shift > 0)
        yield whole[begin : len(whole) - 4]


def found(secrets: dict[str, str], places: dict[str, bytes]) -> list[str]:
    """Return which secrets stand where, and how they are written."""
    return [
        f"{name} ({how}) in {place}"
        for place, data in places.items()
        for name, secret in secrets.items()
        for how, spelling in spellings(secret).items()
        if spelling in data
    ]


# Places


def database() -> dict[str, bytes]:
    """Return all that the database has written, as it stands on the disk or in a dump."""
    if connection.vendor == "sqlite":
        file = Path(connection.settings_dict["NAME"])
        parts = [file, *file.parent.glob(f"{file.name}-*")]
        return {part.name: _read_apart(part) for part in parts}
    dump = ["pg_dump", "--inserts", f"--dbname={database_url()}"]
    done = subprocess.run(dump, capture_output=True, check=True)
    return {"pg_dump": done.stdout}


def _read_apart(file: Path) -> bytes:
    """Read a file of SQLite's in another process.

    Closing it here would drop the locks of this process's connections (SQLite, "How To
    Corrupt An SQLite Database File" §2.2).
    """
    return subprocess.run(["cat", file], capture_output=True, check=True).stdout


def dumpdata() -> dict[str, bytes]:
    """Return what Django writes of all rows."""
    out = StringIO()
    call_command("dumpdata", stdout=out)
    return {"dumpdata": out.getvalue().encode()}


def broker_data(folder: Path) -> dict[str, bytes]:
    """Return all keys of the broker, and what it has written beside."""
    client = broker.client()
    keys = b"".join(_values(client))
    files = [file for file in folder.rglob("*") if file.is_file()]
    written = {f"broker {file.name}": file.read_bytes() for file in files}
    return {"broker keys": keys} | written


def _values(client) -> Iterable[bytes]:
    read = {
        "string": client.get,
        "list": lambda key: client.lrange(key, 0, -1),
        "set": client.smembers,
        "zset": lambda key: client.zrange(key, 0, -1, withscores=True),
        "hash": client.hgetall,
    }
    for key in client.scan_iter():
        yield f"{key}: {read[client.type(key)](key)}\n".encode()

"""Look for secrets in what an installation writes, in every spelling they may take."""

import base64
import json
import re
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import quote, quote_plus

SECRET_NAMES = re.compile(r"(secret|token)$")
SHORTEST = 12


def spellings(secret: str) -> set[bytes]:
    """Return how a secret may look in a file."""
    escaped = json.dumps(secret)[1:-1]
    found = {secret, quote(secret, safe=""), quote(secret), quote_plus(secret), escaped}
    found |= {one.replace("/", "\\/") for one in (secret, escaped)}
    found |= {re.sub("%[0-9A-F]{2}", lambda m: m[0].lower(), one) for one in found}
    raw = secret.encode()
    found |= {raw.hex(), raw.hex().upper(), *aligned_base64(raw)}
    return {one.encode() for one in found}


def aligned_base64(raw: bytes) -> Iterator[str]:
    """Yield the part of the base64 text that is the same whatever stands around."""
    for offset in range(3):
        text = base64.b64encode(b"\0" * offset + raw).decode().rstrip("=")
        inner = text[4 if offset else 0 : len(text) - 2]
        yield inner
        yield inner.replace("+", "-").replace("/", "_")


def secrets_of_the_stand_in(state: Path) -> set[str]:
    """Return every secret that the stand-in knows: it keeps them in the open."""
    found: set[str] = set()
    for line in state.read_text().splitlines():
        found |= set(_secrets(json.loads(line)))
    return {secret for secret in found if len(secret) >= SHORTEST}


def _secrets(value: object, name: str = "") -> Iterator[str]:
    if isinstance(value, dict):
        if name == "tokens":
            yield from value
        for key, inner in value.items():
            yield from _secrets(inner, key)
    elif isinstance(value, list):
        for inner in value:
            yield from _secrets(inner)
    elif isinstance(value, str) and (SECRET_NAMES.search(name) or name == "code"):
        yield value


def found_in(texts: dict[str, bytes], secrets: Iterable[str]) -> list[str]:
    """Return where which secret stands, shortened."""
    return [
        f"{place}: {secret[:6]}… as {spelled[:12]!r}…"
        for secret in secrets
        for spelled in spellings(secret)
        for place, text in texts.items()
        if spelled in text
    ]


def files_of(folder: Path, *, but: set[str]) -> dict[str, bytes]:
    """Return what stands in the files of a folder, the database dumped as well."""
    texts = {
        str(file.relative_to(folder)): file.read_bytes()
        for file in sorted(folder.rglob("*"))
        if file.is_file() and file.name not in but and "static" not in file.parts
    }
    with closing(sqlite3.connect(folder / "ceadmin.sqlite3")) as database:
        texts["dump"] = "\n".join(database.iterdump()).encode()
    return texts

"""How an event stands in an export: as a line of JSON, or as a row of CSV.

Both hold the event's text letter by letter and the hash of it; the cells of CSV are
copies of what the text says, made harmless for spreadsheets.
"""

import json
from collections.abc import Mapping
from typing import Any

#: A line begins with the hash; then comes who it was, if wanted, then the text.
HASH_AT, TEXT_KEY = b'{"hash":"', b',"event":'
HASH_END = len(HASH_AT) + 64

#: Cells of CSV, in order: name → where it stands in the text.
CELLS: dict[str, tuple[str, ...]] = {
    "chain": ("chain",),
    "sequence": ("sequence",),
    "at": ("at",),
    "action": ("action",),
    "actor_kind": ("actor", "kind"),
    "actor_uid": ("actor", "uid"),
    "role": ("actor", "role"),
    "origin_uid": ("actor", "origin"),
    "subject_type": ("subject", "type"),
    "subject_uid": ("subject", "uid"),
    "subject_name": ("subject", "name"),
    "run_uid": ("run",),
    "item_id": ("item",),
    "instance_uid": ("instance",),
    "provider_key": ("provider",),
    "outcome": ("outcome",),
    "reason": ("reason",),
    "ticket": ("ticket",),
    "facts": ("facts",),
}
PROOF = ("hash", "text")
NAMES = ("actor_name", "actor_mail", "address")
HEADER = (*CELLS, *PROOF)

#: Spreadsheets calculate what begins so, some of them behind blanks.
_FORMULA = tuple("=+-@|%\t\r\n\uff1d\uff0b\uff0d\uff20")


def line(hash_: str, text: str, names: Mapping[str, str] | None = None) -> bytes:
    """Return an event as a line of JSON; a forged text becomes a string in it."""
    event = text if text[:1] == "{" and _plain(text) else json.dumps(text)
    beside = ""
    if names:
        beside = "".join(
            f",{json.dumps(key)}:{json.dumps(names[key])}" for key in NAMES
        )
    proof = hash_ if _plain(hash_) and '"' not in hash_ else ""
    return f'{{"hash":"{proof}"{beside},"event":{event}}}\n'.encode("ascii")


def _plain(text: str) -> bool:
    return text.isascii() and text.isprintable()


def row(hash_: str, text: str, names: Mapping[str, str] | None = None) -> list[str]:
    """Return an event as cells of CSV; a forged text leaves the copies empty."""
    found = [*cells(text), safe(hash_), safe(text)]
    return found + [safe(names[key]) for key in NAMES] if names else found


def cells(text: str) -> list[str]:
    """Return the copies of what a text says."""
    try:
        content = json.loads(text)
        return [safe(_cell(content, path)) for path in CELLS.values()]
    except (ValueError, KeyError, TypeError):
        return [""] * len(CELLS)


def _cell(content: Any, path: tuple[str, ...]) -> str:
    for key in path:
        content = content[key]
    if content is None:
        return ""
    return content if isinstance(content, str) else json.dumps(content, sort_keys=True)


def safe(text: str) -> str:
    """Return text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.lstrip(" ").startswith(_FORMULA) else text

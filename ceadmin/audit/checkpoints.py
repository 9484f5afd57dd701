"""How far each chain had come, signed, for a place that the database does not reach.

A checkpoint is a line of JSON: chain, sequence, hash, number of events, time, and the
signature over the rest. A history that was cut, or a database that was restored from an
older copy, no longer has what an earlier line vouches for.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from ceadmin.audit.canonical import dump, moment
from ceadmin.lib.signing import PublicKeys, sign

#: What is signed begins with what it is, so that no signature serves for something else.
_PURPOSE = b"ceadmin audit checkpoint 1\n"
#: How a log line tells of a checkpoint.
IN_LOG = "audit checkpoint "
_TYPES = {
    "chain": str,
    "sequence": int,
    "hash": str,
    "count": int,
    "at": str,
    "key": str,
    "proof": str,
}


class BadCheckpoint(ValueError):
    """A line is no checkpoint; the text says why, as a part of a sentence."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The state of one chain at one time, and the proof that we said so."""

    chain: str
    sequence: int
    hash: str
    count: int
    at: str
    key: str = ""
    proof: str = ""

    def line(self) -> str:
        """Return it as it stands in a file."""
        return dump(asdict(self))

    def signed(self) -> "Checkpoint":
        """Return it with the signature of the newest key."""
        key, proof = sign(self._message())
        return Checkpoint(**{**asdict(self), "key": key, "proof": proof})

    def problem(self, keys: PublicKeys) -> str:
        """Say what is wrong with the signature, or nothing."""
        if self.key not in keys:
            return f"is signed with the key {self.key!r}, which is not known"
        held = keys.hold(self.key, self._message(), self.proof)
        return "" if held else "has a signature that does not hold"

    def _message(self) -> bytes:
        content = asdict(self)
        del content["key"], content["proof"]
        return _PURPOSE + dump(content).encode("ascii")


def checkpoint(
    chain: str, state: tuple[int, str], count: int, at: datetime
) -> Checkpoint:
    """Return the signed checkpoint of a chain whose last sequence and hash are `state`."""
    sequence, hash_ = state
    return Checkpoint(chain, sequence, hash_, count, moment(at)).signed()


def read(line: str) -> Checkpoint | None:
    """Read a line of a checkpoint file or of a log; a log's other lines are None.

    Raises `BadCheckpoint` for what is neither.
    """
    content = _json(line)
    message = content.get("message")
    if isinstance(message, str):
        if not message.startswith(IN_LOG):
            return None
        content = _json(message.removeprefix(IN_LOG))
    return of(content)


def of(content: Mapping[str, Any]) -> Checkpoint:
    """Return the checkpoint that a JSON object is; raise `BadCheckpoint`."""
    if content.keys() != _TYPES.keys() or any(
        type(content[name]) is not kind for name, kind in _TYPES.items()
    ):
        raise BadCheckpoint("is no checkpoint")
    return Checkpoint(**content)


def _json(line: str) -> dict[str, Any]:
    try:
        content = json.loads(line)
    except ValueError as error:
        raise BadCheckpoint("is no JSON") from error
    if not isinstance(content, dict):
        raise BadCheckpoint("is no checkpoint")
    return content


def collect(
    lines: Iterable[str],
    keys: PublicKeys,
    chains: set[str] | None = None,
    until: str = "",
) -> tuple[dict[str, dict[int, str]], list[tuple[int, str]]]:
    """Return chain → sequence → hash of the lines whose signature holds, and the bad lines.

    Lines of other chains than `chains`, and those signed after `until`, are left out.
    A line that holds and contradicts another is bad too: two histories were signed.
    """
    marks: dict[str, dict[int, str]] = {}
    bad: list[tuple[int, str]] = []
    for number, line in enumerate(lines, start=1):
        try:
            found = read(line) if line.strip() else None
        except BadCheckpoint as problem:
            bad.append((number, str(problem)))
            continue
        if found is None or not _wanted(found, chains, until):
            continue
        said = found.problem(keys) or _contradiction(marks, found)
        if said:
            bad.append((number, said))
        else:
            marks.setdefault(found.chain, {})[found.sequence] = found.hash
    return marks, bad


def _wanted(found: Checkpoint, chains: set[str] | None, until: str) -> bool:
    return (chains is None or found.chain in chains) and not (
        until and found.at > until
    )


def _contradiction(marks: Mapping[str, Mapping[int, str]], found: Checkpoint) -> str:
    known = marks.get(found.chain, {}).get(found.sequence, found.hash)
    if known == found.hash:
        return ""
    where = f"event {found.sequence} of {found.chain or 'system'}"
    return f"vouches for another {where} than a line before it"

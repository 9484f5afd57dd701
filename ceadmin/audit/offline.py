"""Verify an export with nothing but the file, its manifest and the public keys."""

import csv
import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from ceadmin.audit import lines, manifest
from ceadmin.audit.checkpoints import collect
from ceadmin.audit.manifest import BadManifest, Manifest
from ceadmin.audit.walk import MOST_PROBLEMS, Problem, Walk
from ceadmin.lib.signing import PublicKeys

#: More stands in no cell.
_LONGEST_CELL = 2**30
_READ_AHEAD = 1 << 20
_HASH_KEY, _TEXT_KEY = lines.HASH_AT, lines.TEXT_KEY
_HASH_BEGIN, _HASH_END = len(_HASH_KEY), lines.HASH_END
_PLAIN_START, _PLAIN_END = b'"' + _TEXT_KEY, b"}\n"
_PLAIN_AT = _HASH_END + len(_PLAIN_START)
_AT_KEY, _AT_LENGTH = b'},"at":"', 32
_AT_AT = len(_AT_KEY)
_PREVIOUS_KEY, _PROVIDER_KEY = b',"previous":"', b'","provider":"'
_PREVIOUS_AT = len(_PREVIOUS_KEY)
_SEQUENCE_KEY = b',"sequence":'
_SEQUENCE_AT = len(_SEQUENCE_KEY)


@dataclass(slots=True)
class Export:
    """What was found in one export."""

    marks: dict[str, dict[int, str]] = field(default_factory=dict)
    walks: dict[str, Walk] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)  # of the files as a whole
    manifest: Manifest | None = None
    plain: bool = True  # each line is what its event alone makes of it
    turns: int = 0  # how often the lines went on to another chain

    @property
    def found(self) -> list[Problem]:
        """Return everything that is wrong: the events first, in the file's order."""
        of_chains = [one for walk in self.walks.values() for one in walk.problems]
        return sorted(
            of_chains + self.problems, key=lambda one: one.line or float("inf")
        )

    @property
    def full(self) -> bool:
        """Tell whether enough was found to stop."""
        many = len(self.problems) >= MOST_PROBLEMS
        return many or any(walk.full for walk in self.walks.values())

    def walk(self, chain: str) -> Walk:
        """Return a chain's walk, begun where it is the chain's first event."""
        if chain not in self.walks:
            self.walks[chain] = Walk(chain, self.marks.get(chain, {}))
        return self.walks[chain]

    def find(self, code: str, text: str, line: int = 0) -> None:
        """Keep a problem that belongs to no chain."""
        if not self.full:
            self.problems.append(Problem("", 0, code, text, line))


def verify_file(
    path: Path, keys: PublicKeys, checkpoints: Iterable[str] = ()
) -> Export:
    """Check an export from its first line to its last; raises OSError."""
    done = Export()
    done.manifest = _manifest(done, path, keys)
    _take_checkpoints(done, keys, checkpoints)
    with path.open("rb", _READ_AHEAD) as file:
        begins = file.read(1)
        file.seek(0)
        follow = _follow_json if begins in (b"{", b"") else _follow_csv
        follow(_Follower(done), file)
    if not done.full:
        _look_at_the_ends(done)
        _look_at_the_whole(done, path)
    return done


def _manifest(done: Export, path: Path, keys: PublicKeys) -> Manifest | None:
    beside = path.with_name(path.name + manifest.SUFFIX)
    try:
        found = manifest.parse(beside.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, BadManifest) as error:
        said = str(error) if isinstance(error, BadManifest) else "it cannot be read"
        text = f"{beside.name}: {said}, and nothing else tells where the export ends"
        done.find("manifest", text)
        return None
    said = found.problem(keys)
    if said:
        done.find("manifest", f"{beside.name}: {said}")
        return None
    return found


def _take_checkpoints(done: Export, keys: PublicKeys, texts: Iterable[str]) -> None:
    """Keep what was signed before the export was made, of its chains."""
    known = done.manifest
    chains = {one.chain for one in known.chains} if known else None
    until = known.made_at if known else ""
    done.marks, bad = collect(texts, keys, chains, until)
    for number, said in bad[:MOST_PROBLEMS]:
        done.find("signature", f"line {number} of the checkpoint file {said}")


class _Follower:
    """Goes from event to event; what simply follows is recognised by its letters."""

    def __init__(self, done: Export) -> None:
        self.done = done
        self.walk = Walk("")
        self._of_chain = b"\n"  # no text has it: the first event is read as JSON

    def skim(self, numbered: Iterator[tuple[int, bytes]]) -> tuple[int, bytes] | None:
        """Follow lines while each simply follows; return the first that does not.

        Nearly every line of a file goes through here, so nothing is called for a line
        but what finds and hashes; whatever is odd about one is for `take` to say.
        """
        walk, of_chain, marks = self.walk, self._of_chain, self.walk.marks
        sequence, last, at = walk.sequence, walk.last.encode(), walk.at.encode()
        odd = None
        for number, line in numbered:
            begins, ends = line[:_HASH_BEGIN], line[-2:]
            plain = begins == _HASH_KEY and line.startswith(_PLAIN_START, _HASH_END)
            text = (
                line[_PLAIN_AT:-2]
                if plain and ends == _PLAIN_END
                else self._beside_others(line)
            )
            # Its keys are sorted: who it was ends first, and the others stand behind.
            place = text.find(b"}") + _AT_AT
            moment = text[place : place + _AT_LENGTH]
            previous = text.find(last, place)
            count = text.rfind(_SEQUENCE_KEY) + _SEQUENCE_AT
            sequence += 1
            if (
                not text.startswith(of_chain, place + _AT_LENGTH)
                or not text.startswith(_AT_KEY, place - _AT_AT)
                or not text.startswith(_PREVIOUS_KEY, previous - _PREVIOUS_AT)
                or not text.startswith(_PROVIDER_KEY, previous + len(last))
                or not text.startswith(b'%d,"subject":{"name":"' % sequence, count)
                or moment < at
                or sequence in marks
                or sha256(text).hexdigest().encode() != line[_HASH_BEGIN:_HASH_END]
            ):
                odd = number, line
                sequence -= 1
                break
            last, at = line[_HASH_BEGIN:_HASH_END], moment
        walk.events, walk.sequence = walk.events + sequence - walk.sequence, sequence
        walk.last, walk.at = (one.decode("ascii", "replace") for one in (last, at))
        return odd

    def _beside_others(self, line: bytes) -> bytes:
        """Return the event of a line that has more than its event."""
        self.done.plain = False
        return _text_in(line)

    def take(self, text: bytes, hash_: str, line: int) -> None:
        """Follow one event."""
        walk = self.walk
        if not (
            self._of_chain in text
            and f',"previous":"{walk.last}","provider":"'.encode() in text
            and b',"sequence":%d,"subject":{"name":"' % (walk.sequence + 1) in text
        ):
            sequence = self._arrive(text, line)
            walk = self.walk
        else:
            sequence = walk.sequence + 1
        walk.sequence, walk.last = sequence, hash_
        walk.events += 1
        if sha256(text).hexdigest() != hash_:
            walk.find(sequence, "changed", "its text does not have its hash", line)
        if walk.marks:
            walk.compare(sequence, hash_, line)
        place = text.find(_AT_KEY) + len(_AT_KEY)
        at = text[place : place + _AT_LENGTH].decode("ascii", "replace")
        if at < walk.at:
            walk.clock(sequence, at, line)
        walk.at = at

    def _arrive(self, text: bytes, line: int) -> int:
        """Go to where an event belongs; return its number there."""
        content = _content(text)
        if content is None:
            self.walk.find(self.walk.sequence + 1, "changed", "it is no event", line)
            return self.walk.sequence + 1
        chain, sequence, previous = content
        walk = self.done.walk(chain)
        self.done.turns += walk is not self.walk
        self.walk = walk
        self._of_chain = f'","chain":{json.dumps(chain)},"facts":{{'.encode()
        if sequence != walk.sequence + 1 or previous != walk.last:
            return walk.misstep(sequence, line)
        return sequence


def _content(text: bytes) -> tuple[str, int, str] | None:
    try:
        content: Any = json.loads(text)
        found = content["chain"], content["sequence"], content["previous"]
    except (ValueError, KeyError, TypeError):
        return None
    return found if isinstance(found[0], str) else None


def _text_in(line: bytes) -> bytes:
    """Return what stands as an event in a line that may have names beside it."""
    return line[line.find(_TEXT_KEY) + len(_TEXT_KEY) : -2]


def _follow_json(follower: _Follower, file: Iterable[bytes]) -> None:
    numbered = enumerate(file, start=1)
    while odd := follower.skim(numbered):
        number, line = odd
        hash_ = line[_HASH_BEGIN:_HASH_END].decode("ascii", "replace")
        follower.take(_text_in(line), hash_, number)
        if follower.walk.full:
            return


def _follow_csv(follower: _Follower, file: Iterable[bytes]) -> None:
    csv.field_size_limit(_LONGEST_CELL)
    many, done = len(lines.CELLS), follower.done
    done.plain = False
    rows = csv.reader((line.decode("utf-8", "replace") for line in file), strict=True)
    try:
        if tuple(next(rows))[: len(lines.HEADER)] != lines.HEADER:
            done.find("header", "the first line does not name an export's columns", 1)
            return
        for row in rows:
            hash_, text = (
                (*row, "", "")[many : many + 2] if len(row) > many else ("", "")
            )
            follower.take(text.encode("utf-8"), hash_, rows.line_num)
            if row[:many] != lines.cells(text):
                walk, said = follower.walk, "a cell is not what the text says"
                walk.find(walk.sequence, "cell", said, rows.line_num)
            if done.full:
                return
    except (csv.Error, StopIteration) as error:
        done.find("changed", f"it is no CSV: {error}", rows.line_num)


def _look_at_the_ends(done: Export) -> None:
    known = done.manifest
    for end in known.chains if known else ():
        walk = done.walk(end.chain)
        if (walk.sequence, walk.last) != (end.sequence, end.hash):
            at = walk.sequence
            text = f"the export ends here, its manifest says at event {end.sequence}"
            walk.find(at, "cut", text)
    named = {end.chain for end in known.chains} if known else set(done.walks)
    for chain, walk in done.walks.items():
        if chain not in named:
            walk.find(walk.sequence, "chain", "the manifest does not know this chain")
        walk.end_marks(
            lambda beyond: (
                f"a checkpoint was signed at event {beyond}, the export ends before: "
                "it was made of a history that was cut, or of an older database"
            )
        )


def _look_at_the_whole(done: Export, path: Path) -> None:
    """Hold the file against its manifest; its hash is made where anything else is open.

    An event's hash holds all before it. So whoever arrives at a chain's signed end by plain
    lines, one chain after the other as the manifest has them, has read each letter of them.
    """
    known = done.manifest
    if known is None or done.found:
        return
    ends = [end.chain for end in known.chains]
    if done.plain and list(done.walks) == ends and done.turns == len(ends):
        return
    with path.open("rb") as file:
        hashed = hashlib.file_digest(file, "sha256").hexdigest()
    if known.sha256 != hashed:
        done.find("file", "the file is not the one that its manifest was signed for")

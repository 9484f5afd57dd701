"""Verify an export with nothing but the file, its manifest and the public keys."""

import csv
import hashlib
import json
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import IO, Any

from ceadmin.audit import lines, manifest
from ceadmin.audit.checkpoints import collect
from ceadmin.audit.manifest import BadManifest, Manifest
from ceadmin.audit.walk import MOST_PROBLEMS, Problem, Walk
from ceadmin.lib.signing import PublicKeys

#: More stands in no cell.
_LONGEST_CELL = 2**30
_HASH = len(lines.HASH_AT), lines.HASH_END
_TEXT_KEY = lines.TEXT_KEY
_AT_KEY, _AT_LENGTH = b'},"at":"', 32


@dataclass(slots=True)
class Export:
    """What was found in one export."""

    marks: dict[str, dict[int, str]] = field(default_factory=dict)
    walks: dict[str, Walk] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)  # of the files as a whole
    manifest: Manifest | None = None

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
    with path.open("rb") as file:
        begins = file.read(1)
        file.seek(0)
        hashed = _Hashed(file)
        follow = _follow_json if begins in (b"{", b"") else _follow_csv
        follow(_Follower(done), hashed)
    if not done.full:
        _look_at_the_ends(done, hashed.hexdigest())
    return done


class _Hashed:
    """The lines of a file, which is hashed beside them: a thread's hashing leaves Python free."""

    def __init__(self, file: IO[bytes]) -> None:
        self._sha256 = hashlib.sha256()
        self._file = file

    def __iter__(self) -> Iterator[bytes]:
        with ThreadPoolExecutor(1) as beside:
            before: Future[None] | None = None
            while block := self._file.readlines(1 << 20):
                if before is not None:
                    before.result()  # one block at a time, whatever the file's size
                before = beside.submit(self._sha256.update, b"".join(block))
                yield from block

    def hexdigest(self) -> str:
        """Return the hash of what was read, once it was read to its end."""
        return self._sha256.hexdigest()


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
        walk, of_chain, begin, end = self.walk, self._of_chain, *_HASH
        sequence, last, at = walk.sequence, walk.last.encode(), walk.at.encode()
        odd = None
        for number, line in numbered:
            text = line[line.find(_TEXT_KEY) + len(_TEXT_KEY) : -2]
            place = text.find(_AT_KEY) + len(_AT_KEY)
            moment = text[place : place + _AT_LENGTH]
            if (
                of_chain not in text
                or b',"previous":"%b","provider":"' % last not in text
                or b',"sequence":%d,"subject":{"name":"' % (sequence + 1) not in text
                or sha256(text).hexdigest().encode() != line[begin:end]
                or moment < at
                or sequence + 1 in walk.marks
            ):
                odd = number, line
                break
            sequence, last, at = sequence + 1, line[begin:end], moment
        walk.events += sequence - walk.sequence
        walk.sequence = sequence
        walk.last, walk.at = (one.decode("ascii", "replace") for one in (last, at))
        return odd

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
        walk = self.walk = self.done.walk(chain)
        self._of_chain = f'"chain":{json.dumps(chain)},"facts":{{'.encode()
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


def _follow_json(follower: _Follower, file: Iterable[bytes]) -> None:
    numbered = enumerate(file, start=1)
    while odd := follower.skim(numbered):
        number, line = odd
        begin, end = _HASH
        hash_ = line[begin:end].decode("ascii", "replace")
        text = line[line.find(_TEXT_KEY) + len(_TEXT_KEY) : -2]
        follower.take(text, hash_, number)
        if follower.walk.full:
            return


def _follow_csv(follower: _Follower, file: Iterable[bytes]) -> None:
    csv.field_size_limit(_LONGEST_CELL)
    many, done = len(lines.CELLS), follower.done
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


def _look_at_the_ends(done: Export, hashed: str) -> None:
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
    if known and known.sha256 != hashed and not done.found:
        done.find("file", "the file is not the one that its manifest was signed for")

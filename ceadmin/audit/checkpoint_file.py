"""The file that checkpoints are added to: never rewritten, one writer at a time.

Beside it stands the last line of each chain, so that nobody reads years to sign a minute.
"""

import fcntl
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ceadmin.audit.checkpoints import BadCheckpoint, Checkpoint, read


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Let one writer at a time in, making the file where there is none; raises OSError."""
    path.parent.mkdir(0o700, parents=True, exist_ok=True)
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def append(path: Path, checkpoints: Iterable[Checkpoint]) -> None:
    """Add lines and wait until they are on the disk; raises OSError."""
    text = "".join(f"{one.line()}\n" for one in checkpoints).encode("ascii")
    with path.open("rb+") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(size - 1, 0))
        if size and file.read(1) != b"\n":
            text = b"\n" + text  # somebody died in the middle of a line
        file.seek(0, os.SEEK_END)
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def latest(path: Path) -> dict[str, Checkpoint]:
    """Return the last checkpoint of each chain; a file that was moved away has none."""
    if not path.stat().st_size:
        return {}
    beside = _beside(path)
    found: dict[str, Checkpoint] = {}
    with (beside if beside.exists() else path).open("rb") as lines:
        for line in lines:
            try:
                one = read(line.decode("ascii", "replace"))
            except BadCheckpoint:
                continue  # verifying tells of it
            if one:
                found[one.chain] = one
    return found


def keep_latest(path: Path, checkpoints: Iterable[Checkpoint]) -> None:
    """Write down the last checkpoint of each chain."""
    draft = path.with_name(f"{path.name}.new")
    draft.write_text("".join(f"{one.line()}\n" for one in checkpoints), "ascii")
    draft.replace(_beside(path))


def _beside(path: Path) -> Path:
    return path.with_name(f"{path.name}.latest")

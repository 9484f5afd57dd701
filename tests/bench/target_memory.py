"""What the processes of the target share: the latency, the counts, and which grants are dead."""

import mmap
import os
import struct
import tempfile
from pathlib import Path

from tests.bench.wire import CALLS

PROCESSES = 8  # as many as there is room for
CAPACITY = 2_000_000  # instances
_WORDS = 8
_LATENCY = 0
_HEADER = 64
_TABLE = _HEADER + PROCESSES * _WORDS * 8
ALIVE, DEAD = 0, 1


class Memory:
    """A mapped file: a word for the latency, a row of counts per process, a byte per instance."""

    def __init__(self, path: Path) -> None:
        """Open what `make` made."""
        self.path = path
        with path.open("r+b") as file:
            self.map = mmap.mmap(file.fileno(), 0)
        self.words = memoryview(self.map)[:_TABLE].cast("Q")
        self.state = memoryview(self.map)[_TABLE:]

    @classmethod
    def make(cls) -> "Memory":
        """Return a new one, everything alive and nothing counted."""
        fast = Path("/dev/shm")
        folder = fast if fast.is_dir() else None
        handle, name = tempfile.mkstemp(prefix="ceadmin-bench-", dir=folder)
        os.truncate(handle, _TABLE + CAPACITY)
        os.close(handle)
        return cls(Path(name))

    def row(self, process: int) -> memoryview:
        """Return the counts of one process, in the order of `CALLS`; the last word says it listens."""
        first = _HEADER // 8 + process * _WORDS
        return self.words[first : first + _WORDS]

    @property
    def latency(self) -> float:
        """How long an answer takes, in seconds."""
        return self.words[_LATENCY] / 1e6

    @latency.setter
    def latency(self, seconds: float) -> None:
        self.words[_LATENCY] = round(seconds * 1e6)

    def counts(self) -> dict[str, int]:
        """Return how many calls of each kind came, all processes together."""
        rows = [self.row(process) for process in range(PROCESSES)]
        return {name: sum(row[n] for row in rows) for n, name in enumerate(CALLS)}

    def listening(self) -> int:
        """Return how many processes are ready."""
        return sum(self.row(process)[_WORDS - 1] for process in range(PROCESSES))

    def reset(self) -> None:
        """Let every grant live again and forget the counts."""
        self.map[_TABLE:] = bytes(CAPACITY)
        for process in range(PROCESSES):
            row = self.row(process)
            for n in range(len(CALLS)):
                row[n] = 0

    def close(self) -> None:
        """Give the memory back."""
        self.words.release()
        self.state.release()


def ready(memory: Memory, process: int) -> None:
    """Say that a process listens."""
    struct.pack_into("Q", memory.map, _HEADER + (process + 1) * _WORDS * 8 - 8, 1)

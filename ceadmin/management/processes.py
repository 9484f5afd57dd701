"""A crew of processes: started in order, stopped in reverse, none left behind.

Every process runs under `keeper.py`, which ends it when this process ends in any way.
"""

import os
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

KEEPER = Path(__file__).with_name("keeper.py")
SECONDS_TO_STOP = 6.0  # so that nothing is left 10 s after this process was killed
LAST_LINES = 25

Show = Callable[[str], None]


@dataclass
class Member:
    """One process of the crew, with the last lines it wrote."""

    name: str
    process: subprocess.Popen[bytes]
    last_lines: deque[str] = field(default_factory=lambda: deque(maxlen=LAST_LINES))
    reader: threading.Thread | None = None

    @property
    def pid(self) -> int:
        """Return the id of the keeper, which is the id of its group too."""
        return self.process.pid

    def ended(self) -> int | None:
        """Return the exit code, or None while it runs."""
        return self.process.poll()

    def wait(self) -> int:
        """Wait for the end and return the exit code."""
        return self.process.wait()

    def ask_to_stop(self) -> None:
        """Let its keeper stop it, and kill it when it takes too long."""
        if self.process.stdin and not self.process.stdin.closed:
            self.process.stdin.close()

    def stop(self) -> None:
        """Ask it to stop, and wait until nothing of it is left."""
        self.ask_to_stop()
        try:
            self.process.wait(SECONDS_TO_STOP + 3)
        except subprocess.TimeoutExpired:
            self.kill()
        self._finish()

    def kill(self) -> None:
        """End the whole group now."""
        try:
            os.killpg(self.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            return  # macOS answers "not permitted" for a group of zombies

    def _finish(self) -> None:
        self.process.wait()
        self.kill()
        if self.reader:
            self.reader.join(2)
        if self.process.stdout:
            self.process.stdout.close()


class Crew:
    """The processes of one installation on this machine."""

    def __init__(self, folder: Path, *, logs: Path, show: Show | None) -> None:
        """Run in `folder`; keep each one's output in `logs` and `show` its lines."""
        self.folder = folder
        self.logs = logs
        self.show = show
        self.members: list[Member] = []

    def start(self, name: str, command: Sequence[str | Path]) -> Member:
        """Start a process that must run as long as the crew."""
        member = Member(name, self._spawn(command, output=subprocess.PIPE))
        member.reader = threading.Thread(target=self._read, args=(member,), daemon=True)
        member.reader.start()
        self.members.append(member)
        return member

    def start_in_front(self, name: str, command: Sequence[str | Path]) -> Member:
        """Start a process that writes to the person's screen and ends by itself."""
        return Member(name, self._spawn(command, output=None))

    def fallen(self) -> Member | None:
        """Return a process that ended although it should run."""
        return next((one for one in self.members if one.ended() is not None), None)

    def stop(self) -> None:
        """Stop all, the last started first; the first outlives the others.

        The others say goodbye to it: it is the broker, where there is one of ours.
        """
        for member in reversed(self.members[1:]):
            member.ask_to_stop()
        while self.members:
            self.members.pop().stop()

    def _spawn(
        self, command: Sequence[str | Path], *, output: int | None
    ) -> subprocess.Popen[bytes]:
        keeper = [sys.executable, "-I", "-S", str(KEEPER), str(SECONDS_TO_STOP)]
        return subprocess.Popen(
            [*keeper, *map(str, command)],
            cwd=self.folder,
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT if output else None,
            start_new_session=True,
        )

    def _read(self, member: Member) -> None:
        self.logs.mkdir(parents=True, exist_ok=True)
        stream: IO[bytes] | None = member.process.stdout
        with (self.logs / f"{member.name}.log").open("w", encoding="utf-8") as log:
            for raw in stream or ():
                line = raw.decode("utf-8", "replace").rstrip("\n")
                member.last_lines.append(line)
                log.write(f"{line}\n")
                log.flush()
                if self.show:
                    self.show(f"{member.name:<8} | {line}")

"""Installations of their own for tests: a folder, free ports, real processes."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MANAGE = [sys.executable, str(ROOT / "manage.py")]

GOOD = {
    "SECRET_KEY": "a-real-secret-key-of-more-than-thirty-two-characters",
    "FIELD_KEYS": "k1:" + "A" * 43 + "=",
    "FINGERPRINT_KEYS": "k1:" + "B" * 42 + "A=",
    "CHECKPOINT_KEYS": "k1:" + "C" * 42 + "A=",
    "CEADMIN_ENV_FILE": os.devnull,
}


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def clean_variables() -> dict[str, str]:
    """Return the shell's variables without those that the tests set for themselves."""
    keep = ("PATH", "HOME", "LANG", "TMPDIR", "VIRTUAL_ENV")
    return {name: os.environ[name] for name in keep if name in os.environ}


@dataclass
class Installation:
    """A place to start ceadmin in, with ports that nobody uses."""

    folder: Path
    web: int = field(default_factory=free_port)
    emulator: int = field(default_factory=free_port)

    def variables(self, **more: str) -> dict[str, str]:
        """Return the environment of its processes."""
        return {
            **clean_variables(),
            "CEADMIN_STATE_DIR": str(self.folder / "var"),
            "CEADMIN_DEMO_DIR": str(self.folder / "demo"),
            "WEB_PORT": str(self.web),
            "EMULATOR_PORT": str(self.emulator),
            **more,
        }

    def run(self, *command: str, seconds: float = 240, **more: str):
        """Run a command to its end and return what came of it."""
        return subprocess.run(
            command,
            cwd=ROOT,
            env=self.variables(**more),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )

    def manage(self, *arguments: str, **more: str):
        """Run one of manage.py's commands to its end."""
        return self.run(*MANAGE, *arguments, **more)

    def start(self, *arguments: str, **more: str) -> "Running":
        """Start one of manage.py's commands and return at once."""
        public = more.get("PUBLIC_URL", "").rpartition("/")[2]
        output = tempfile.TemporaryFile()  # noqa: SIM115 (closed by the fixture)
        process = subprocess.Popen(
            [*MANAGE, *arguments],
            cwd=ROOT,
            env=self.variables(**more),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        return Running(self, process, output, public or "localhost")


@dataclass
class Running:
    """A command that runs, and the processes that it started."""

    installation: Installation
    process: subprocess.Popen
    output: object
    host: str = "localhost"

    def text(self) -> str:
        """Return what it wrote so far."""
        self.output.seek(0)
        return self.output.read().decode("utf-8", "replace")

    def wait_until_ready(self, seconds: float = 60) -> None:
        """Wait until /readyz says that everything is well."""
        address = f"http://127.0.0.1:{self.installation.web}/readyz"
        url = urllib.request.Request(address, headers={"Host": self.host})
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            assert self.process.poll() is None, self.text()
            try:
                with urllib.request.urlopen(url, timeout=5):
                    return
            except OSError:
                time.sleep(0.1)
        raise AssertionError(f"not ready within {seconds} s:\n{self.text()}")

    def wait_for(self, words: str, seconds: float = 30) -> None:
        """Wait until it wrote `words`."""
        end = time.monotonic() + seconds
        while words not in self.text():
            assert time.monotonic() < end, self.text()
            time.sleep(0.1)

    def end(self, number: int = signal.SIGTERM, seconds: float = 30) -> int:
        """Send a signal and return the exit code."""
        self.process.send_signal(number)
        return self.process.wait(seconds)

    def family(self) -> set[int]:
        """Return the ids of all processes that it started, directly or not."""
        return descendants(self.process.pid)


def processes() -> dict[int, tuple[int, str]]:
    """Return the id of each running process with its parent and its command."""
    listing = subprocess.run(
        ["ps", "-axwwo", "pid=,ppid=,stat=,command="],
        capture_output=True,
        text=True,
        check=True,
    )
    found = {}
    for line in listing.stdout.splitlines():
        pid, parent, state, *command = line.split(None, 3)
        if not state.startswith("Z"):
            found[int(pid)] = (int(parent), " ".join(command))
    return found


def descendants(pid: int) -> set[int]:
    """Return the ids of what a process started, and of what those started."""
    running = processes()
    found: set[int] = set()
    new = {pid}
    while new:
        new = {one for one, (parent, _) in running.items() if parent in new} - found
        found |= new
    return found


def still_running(family: set[int], seconds: float) -> list[str]:
    """Wait until none of a family is left, and return those that are after `seconds`."""
    end = time.monotonic() + seconds
    while left := family & set(running := processes()):
        if time.monotonic() > end:
            return [running[pid][1] for pid in left]
        time.sleep(0.2)
    return []

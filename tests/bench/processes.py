"""What processes cost, from /proc: CPU seconds and resident memory of a whole tree."""

import os
import subprocess
import sys
from pathlib import Path

from tests.bench.world import ROOT

_TICK = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")
_WATCH = """
import resource, subprocess, sys
code = subprocess.call(sys.argv[1:], stdout=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
sys.exit(code)
"""


def tree(root: int) -> list[int]:
    """Return the descendants of a process, itself left out."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and (fields := _stat(int(entry.name))):
            children.setdefault(int(fields[1]), []).append(int(entry.name))
    found, ahead = [], [root]
    while ahead:
        new = children.get(ahead.pop(), [])
        found += new
        ahead += new
    return found


def leaves(root: int) -> list[int]:
    """Return the descendants that have no children: of a worker, the processes that work."""
    return [pid for pid in tree(root) if not tree(pid)]


def cpu(pids: list[int]) -> float:
    """Return the CPU seconds that processes have used so far, in user and in kernel."""
    rows = [_stat(pid) for pid in pids]
    return sum(int(row[11]) + int(row[12]) for row in rows if row) / _TICK


def resident(pids: list[int]) -> float:
    """Return the resident memory of processes in MB; pages that they share count for each."""
    rows = [_stat(pid) for pid in pids]
    return sum(int(row[21]) for row in rows if row) * _PAGE / 1e6


def most_resident(command: list[str]) -> float:
    """Run a command to its good end; return the most resident memory that it had, in MB."""
    # A process begins with its parent's most: so its parent is a small one.
    watched = [sys.executable, "-I", "-S", "-c", _WATCH, *command]
    told = subprocess.run(watched, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    if told.returncode:
        raise RuntimeError(f"{command[1:3]} ended with {told.returncode}")
    return int(told.stdout) * 1024 / 1e6


def _stat(pid: int) -> list[str] | None:
    """Return the fields of /proc/<pid>/stat from the state on, None when it has ended."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return text.rpartition(")")[2].split()

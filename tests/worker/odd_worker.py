"""A Celery process that is not as it should be, for tests of faults.

Use: python -m tests.worker.odd_worker [ODDITY[=VALUE]…] -- ARGUMENT OF CELERY…
Each function below is one oddity; its first line says which.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import django
from celery.__main__ import main as celery
from django.db.backends.utils import CursorWrapper
from django.utils import timezone

import ceadmin.celery  # noqa: F401  (names the settings)


def clock(seconds: str) -> None:
    """Go wrong by so many seconds on the wall; what measures durations stays right."""
    wall, now = time.time, timezone.now
    time.time = lambda: wall() + float(seconds)
    timezone.now = lambda: now() + timedelta(seconds=float(seconds))


def twice(_: str) -> None:
    """Send every message twice."""
    from ceadmin.lib import nudge  # noqa: PLC0415

    send = nudge._send
    nudge._send = lambda *message: [send(*message) for _ in range(2)]


def mute(_: str) -> None:
    """Send nothing but what the sweep sends."""
    from ceadmin.lib import nudge  # noqa: PLC0415
    from instances import runs  # noqa: PLC0415

    send, sweep, sweeping = nudge._send, runs.sweep, []

    def swept(**arguments) -> None:
        sweeping.append(True)
        try:
            sweep(**arguments)
        finally:
            sweeping.clear()

    runs.sweep = swept
    nudge._send = lambda *message: send(*message) if sweeping else None


def dies_in_plan(flag: str) -> None:
    """Be killed once, with the chunks of a plan written and not committed."""
    execute = CursorWrapper.execute

    def executed(self, sql, params=None):
        result = execute(self, sql, params)
        words = str(sql).replace('"', "").lower()
        if "insert into instances_part" in words and Path(flag).exists():
            Path(flag).unlink()
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    CursorWrapper.execute = executed


def plans_by(count: str) -> None:
    """Plan so many items at a time, where a plan is made in pieces."""
    from instances.runs import pieces  # noqa: PLC0415

    pieces.FIRST = pieces.LEAST = pieces.MOST = int(count)


def freezes(flag: str) -> None:
    """Stop moving once, in the middle of a transaction that has locked the audit's head."""
    execute = CursorWrapper.execute

    def executed(self, sql, params=None):
        result = execute(self, sql, params)
        if (
            "audit_head" in str(sql)
            and "FOR UPDATE" in str(sql)
            and Path(flag).exists()
        ):
            Path(flag).unlink()
            os.kill(os.getpid(), signal.SIGSTOP)
        return result

    CursorWrapper.execute = executed


def deadline(seconds: str) -> None:
    """Wait only so long for an answer."""
    from ceadmin.lib import http  # noqa: PLC0415

    http.Request.__init__.__defaults__ = ((), None, float(seconds))


def impatient(seconds: str) -> None:
    """Give up on a locked database after so many seconds."""
    from django.db import connections  # noqa: PLC0415

    connections.databases["default"]["OPTIONS"]["timeout"] = float(seconds)


def namesake(pid: str) -> None:
    """Be on a host and have a number that another one has, as containers may."""
    import socket  # noqa: PLC0415

    from instances import tasks  # noqa: PLC0415

    tasks.os = SimpleNamespace(getpid=lambda: int(pid))
    socket.gethostname = lambda: "container"


def forgets_kind(kind: str) -> None:
    """Be of a version that has no such kind of run."""
    from instances.runs import known  # noqa: PLC0415

    known.KINDS.discard(kind)


def forgets_option(name: str) -> None:
    """Be of a version that has no such option."""
    from instances.runs import known  # noqa: PLC0415

    del known.OPTIONS[name]


ODDITIES: dict[str, Callable[[str], None]] = {
    one.__name__: one
    for one in (
        *(clock, twice, mute, dies_in_plan, plans_by, freezes, deadline),
        *(impatient, namesake, forgets_kind, forgets_option),
    )
}


def main(arguments: list[str]) -> None:
    """Become odd, then become Celery."""
    end = arguments.index("--")
    wanted = [one.partition("=") for one in arguments[:end]]
    for name, _, value in wanted:
        if name == "clock":  # before anything keeps the right one
            clock(value)
    django.setup()
    for name, _, value in wanted:
        if name != "clock":
            ODDITIES[name](value)
    sys.argv = ["celery", "-A", "ceadmin", *arguments[end + 1 :]]
    sys.exit(celery())


if __name__ == "__main__":
    main(sys.argv[1:])

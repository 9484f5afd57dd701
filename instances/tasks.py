"""Celery's way in: each task takes ids, makes one call, and is safe to run twice or never.

A task whose database goes away ends quietly: leases run out and the sweep goes on.
"""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from secrets import token_hex

from celery import shared_task
from django.db import InterfaceError, OperationalError, connection
from django.utils import timezone

from instances import runs

logger = logging.getLogger(__name__)


@cache
def _name_of(pid: int) -> str:
    """Return a name that no other process has: containers may share a host's name and numbers.

    Leases, slots and shares of a run's connections belong to a name.
    """
    return f"{socket.gethostname()[:80]}:{token_hex(4)}:{pid}"


@contextmanager
def _database_may_go() -> Iterator[None]:
    try:
        yield
    except (OperationalError, InterfaceError) as error:
        words = str(error).partition("\n")[0]
        logger.warning("ended, since the database gave %r; the sweep goes on", words)
        connection.close()


@shared_task(name="instances.plan_run")
def plan_run(run_id: int) -> None:
    """Freeze a run's selection."""
    with _database_may_go():
        runs.plan(run_id, now=timezone.now())


@shared_task(name="instances.work_run")
def work_run(run_id: int) -> None:
    """Work a share of a run."""
    with _database_may_go():
        runs.work(run_id, worker=_name_of(os.getpid()))


@shared_task(name="instances.consent")
def consent(item_id: int) -> None:
    """Play the person at the emulator's consent page for one drill item."""
    with _database_may_go():
        runs.consent(item_id, now=timezone.now())


@shared_task(name="instances.sweep")
def sweep() -> None:
    """Bring every open run forward."""
    with _database_may_go():
        runs.sweep(now=timezone.now())


@shared_task(name="instances.thin_out")
def thin_out() -> None:
    """Remove a share of the rows that are older than the settings keep them."""
    with _database_may_go():
        runs.thin_out(now=timezone.now())

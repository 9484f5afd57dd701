"""A shard's way to the database while its loop turns: one job at a time, beside the loop.

A thread with a connection of its own does it, while answers are read and calls leave; what
follows from it is done in the loop's thread again. The shard asks the database nothing else
meanwhile, so no two transactions of one worker can wait for each other. Whoever works
inside a transaction, as most tests do, stays in it: then a job is done at once.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from typing import Any, TypeVar

from django.db import connection, connections

T = TypeVar("T")


class Hand:
    """One job at a time, and what is to follow from it."""

    def __init__(self) -> None:
        self._thread: ThreadPoolExecutor | None = None
        self._job: tuple[Future[Any], Callable[[Any], None]] | None = None

    @property
    def busy(self) -> bool:
        """Tell whether a job is under way, or has ended and nobody has collected it."""
        return self._job is not None

    def begin(self, job: Callable[[], T], then: Callable[[T], None]) -> None:
        """Do a job; `then` gets what came of it, once it is collected."""
        assert self._job is None  # one at a time
        if connection.in_atomic_block:
            then(job())
            return
        self._thread = self._thread or ThreadPoolExecutor(1, "hand")
        self._job = self._thread.submit(copy_context().run, job), then

    def collect(self, *, wait: bool = False) -> bool:
        """Do what follows from a job that has ended; tell whether one had. Raises what it raised."""
        if self._job is None:
            return False
        work, then = self._job
        if not wait and not work.done():
            return False
        self._job = None
        then(work.result())
        return True

    def close(self) -> None:
        """Wait for what is under way, whatever comes of it, and release the thread."""
        if self._thread is not None:
            self._thread.submit(connections.close_all)
            self._thread.shutdown()
            self._thread = self._job = None
